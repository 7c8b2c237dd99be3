"""kill -9 in a backup and in a restore: what was there stays, what is there is whole, and the next run goes well."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e.running import CHAT, CLAVERO, Running, clean_environ, start

POINTS = 25  # of each, nightly


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A stopped data directory with spend behind its backup."""
    folder = tmp_path_factory.mktemp("killed")
    running = start(folder / "data")
    spend(running, 3)
    cli(folder / "data", "db", "backup", str(folder / "b.clavero"))
    spend(running, 4)
    running.cli("key", "revoke", running.ready["keys"][1]["name"], "--yes")
    assert running.stop() == 0
    with sqlite3.connect(folder / "data" / "clavero.db") as database:  # so that there is time to be killed in
        database.executemany(
            "INSERT INTO journal_rejects (boot_id, seg, off, at, reason, payload) VALUES ('0', 0, 0, 0, 'r', ?)",
            [(os.urandom(2000),) for _ in range(8000)],
        )
    database.close()
    cli(folder / "data", "db", "backup", str(folder / "big.clavero"))
    return folder / "data", folder / "big.clavero"


def spend(running: Running, calls: int) -> None:
    for _ in range(calls):
        assert running.post("/v1/chat/completions", CHAT).status == 200


def cli(data: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [*CLAVERO, *words, "--data-dir", str(data)], capture_output=True, text=True, timeout=120, check=False,
        env=clean_environ(data.parent),
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def killed(data: Path, after: float, *words: str) -> bool:
    """Run a command and kill it after so many seconds; False where it had ended by then."""
    process = subprocess.Popen(
        [*CLAVERO, *words, "--data-dir", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=clean_environ(data.parent),
    )  # fmt: skip
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def posted(data: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(data / "clavero.db") as database:
        rows = database.execute(
            """SELECT budget_id, posted, excess, (SELECT coalesce(sum(charged_n), 0) FROM usage_charge c
            WHERE c.budget_id = l.budget_id AND c.period_start = l.period_start) FROM ledger l ORDER BY 1"""
        ).fetchall()
    database.close()
    return rows


def seconds(work: list[str], data: Path) -> float:
    began = time.monotonic()
    cli(data, *work)
    return time.monotonic() - began


def campaign_backup(data: Path, folder: Path, points: int) -> int:
    target, hits = folder / "kill.clavero", 0
    whole = seconds(["db", "backup", str(target)], data)
    first = target.read_bytes()
    for point in range(points):
        hits += killed(data, whole * (0.35 + 0.65 * point / points), "db", "backup", str(target))
        if target.read_bytes() != first:  # it was faster this time: then it is whole
            cli(data, "db", "verify", str(target))
            first = target.read_bytes()
    cli(data, "db", "backup", str(target))
    cli(data, "db", "verify", str(target))
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".kill")]
    return hits


def campaign_restore(data: Path, backup: Path, points: int) -> int:
    spent, hits = posted(data), 0
    whole = seconds(["db", "restore", str(backup), "--replace"], data)
    for point in range(points):
        hits += killed(data, whole * (0.2 + 0.8 * point / points), "db", "restore", str(backup), "--replace")
        assert (data / "clavero.db").exists(), "there is a database at every moment"
        told = cli(data, "db", "check")
        assert "✗" not in told, told
        for old in (data / "backup").glob("before-*"):
            shutil.rmtree(old)
    cli(data, "db", "restore", str(backup), "--replace")
    assert posted(data) == spent
    assert all(row[1] == row[3] for row in posted(data))
    return hits


def test_a_backup_that_is_killed_leaves_the_old_one_and_a_restore_that_is_killed_a_whole_database(
    house: tuple[Path, Path], tmp_path: Path
) -> None:
    data, backup = house
    shutil.copytree(data, tmp_path / "data")
    campaign_backup(tmp_path / "data", tmp_path, 1)
    campaign_restore(tmp_path / "data", backup, 1)


@pytest.mark.nightly
@pytest.mark.timeout(3000)
def test_fifty_kills_lose_nothing(house: tuple[Path, Path], tmp_path: Path) -> None:
    data, backup = house
    shutil.copytree(data, tmp_path / "data")
    hits = campaign_backup(tmp_path / "data", tmp_path, POINTS)
    print(f"backup: {hits} of {POINTS} killed", flush=True)
    more = campaign_restore(tmp_path / "data", backup, POINTS)
    print(f"restore: {more} of {POINTS} killed", flush=True)
    assert hits > POINTS // 2
    assert more > POINTS // 2
    running = start(tmp_path / "data")
    assert running.chat().status == 200
    keys = {one["name"]: one["state"] for one in running.api("GET", "/keys").json["keys"]}
    assert "revoked" in keys.values()
    running.stop()


def test_a_disk_that_is_full_ends_a_backup_in_one_line_and_leaves_nothing(
    house: tuple[Path, Path], tmp_path: Path
) -> None:
    data, _ = house
    limit = 3 * 1024 * 1024  # bytes that a file may have: writing beyond fails as on a full disk
    done = subprocess.run(
        ["bash", "-c", f'trap "" XFSZ; ulimit -f {limit // 1024}; exec "$@"', "-", *CLAVERO, "db", "backup",
         str(tmp_path / "full.clavero"), "--data-dir", str(data)],
        capture_output=True, text=True, timeout=120, check=False, env=clean_environ(tmp_path),
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("\n") == 2
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden ones too
