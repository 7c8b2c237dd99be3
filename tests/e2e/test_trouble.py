"""Trouble on the machine: ports, rights, seals, databases and disks. One line that says what, one that says what to do."""

import contextlib
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.campaign.legs import fill
from tests.e2e.running import CHAT, CLAVERO, Running, clean_environ, start, wait_for

# Root may write everywhere: without these two, file modes count for it as well.
_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]


def refused(data: Path, *flags: str, environ: dict[str, str] | None = None, plain: bool = False) -> str:
    """What a start that must fail said: one error and one remedy, on stderr, without a traceback."""
    before = _AS_ANYBODY if plain and os.geteuid() == 0 else []
    ports = [] if any(flag.endswith("-port") for flag in flags) else ["--gateway-port", "0", "--admin-port", "0"]
    done = subprocess.run(
        [*before, *CLAVERO, "up", "--demo", "--data-dir", str(data), *ports, *flags],
        capture_output=True, text=True, timeout=30, check=False,
        env={**clean_environ(data.parent), **(environ or {})}, cwd=data.parent,
    )  # fmt: skip
    said = done.stderr
    assert done.returncode in {2, 7}, (done.returncode, said, done.stdout)
    assert "Traceback" not in said, said
    lines = [line for line in said.splitlines() if not line.startswith("{")]
    assert len(lines) == 2, said
    assert re.fullmatch(r"error: .{10,}  \[[a-z_]+\]", lines[0]), said
    assert re.fullmatch(r"  fix: .{5,}", lines[1]), said
    return said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that was used and left in order, with one record in it."""
    running = start(tmp_path_factory.mktemp("kept") / "data")
    wait_for(lambda: running.chat().status == 200)
    assert running.stop() == 0
    return running.data


@pytest.fixture
def data(kept: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, to be spoilt; afterwards its modes are such that it can be removed."""
    copy = tmp_path / "data"
    shutil.copytree(kept, copy)
    yield copy
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o700)


# --- ports


@pytest.mark.parametrize("flag", ["--gateway-port", "--admin-port"])
def test_a_port_in_use_is_named(tmp_path: Path, flag: str) -> None:
    other = "--admin-port" if flag == "--gateway-port" else "--gateway-port"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(tmp_path / "data", flag, port, other, "0")
    assert f"port {port} is in use" in said
    assert flag in said


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    assert port in refused(tmp_path / "data", "--gateway-port", port, "--admin-port", port)


@pytest.mark.parametrize(("flags", "environ"), [
    (["--gateway-port", "99999", "--admin-port", "0"], {}),
    (["--workers", "0"], {}),
    ([], {"CLAVERO_GATEWAY_PROT": "4141"}),
    ([], {"CLAVERO_LOG_LEVEL": "loud"}),
    ([], {"DATABASE_URL": "mysql://a@b/c"}),
])  # fmt: skip
def test_a_bad_setting_is_named(tmp_path: Path, flags: list[str], environ: dict[str, str]) -> None:
    assert "bad_setting" in refused(tmp_path / "data", *flags, environ=environ)


def test_a_file_of_settings_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "clavero.toml").write_text("[gateway\nport = ")
    assert "clavero.toml" in refused(tmp_path / "data")


# --- the data directory


def test_a_directory_that_nobody_may_write_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    said = refused(folder / "data", plain=True)
    assert str(folder) in said
    assert "0500" in said


def close(place: str, mode: int) -> Callable[[Path], None]:
    return lambda data: (data / place).chmod(mode)


def write(place: str, content: bytes) -> Callable[[Path], None]:
    def spoil(data: Path) -> None:
        (data / place).parent.mkdir(exist_ok=True)
        (data / place).write_bytes(content)

    return spoil


def cut(place: str, part: float) -> Callable[[Path], None]:
    return lambda data: os.truncate(data / place, int((data / place).stat().st_size * part))


def overwrite(data: Path) -> None:
    with (data / "clavero.db").open("r+b") as file:
        for page in range(4096, (data / "clavero.db").stat().st_size, 4096):
            file.seek(page)
            file.write(b"\xde\xad\xbe\xef" * 64)


def meta(version: str) -> Callable[[Path], None]:
    def spoil(data: Path) -> None:
        with contextlib.closing(sqlite3.connect(data / "clavero.db")) as database:
            database.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (version,))
            database.commit()

    return spoil


def swap_key(data: Path) -> None:
    file = data / "seal" / "root.key"
    text = file.read_text().strip()
    place = len(text) - 10
    file.write_text(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :] + "\n")


def vault(statement: str) -> Callable[[Path], None]:
    def spoil(data: Path) -> None:
        with contextlib.closing(sqlite3.connect(data / "clavero.db")) as database:
            database.execute(statement)
            database.commit()

    return spoil


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "directory closed": (close("", 0o500), "cannot write|cannot use|read"),
    "database closed": (close("clavero.db", 0o000), "clavero.db|database"),
    "seal closed": (close("seal/root.key", 0o000), "root.key"),
    "seal open to all": (close("seal/root.key", 0o644), "chmod 600"),
    "seal gone": (lambda data: (data / "seal" / "root.key").unlink(), "seal_missing"),
    "seal empty": (write("seal/root.key", b""), "seal_malformed"),
    "seal garbage": (write("seal/root.key", os.urandom(4000)), "seal_malformed"),
    "seal of another": (swap_key, "wrong_root_key"),
    "a newer database": (meta("999"), "database_newer"),
    "a schema that no clavero gives": (meta("0"), "database_foreign"),
    "a schema that is no number": (meta("seven"), "database_foreign"),
    "a migration that was stopped": (
        vault("INSERT INTO meta VALUES ('migrating', '1')"),
        r"(?s)has not ended.*database_half_migrated.*clavero db migrate --data-dir ",
    ),
    "no database at all": (write("clavero.db", b"not a database " * 1000), "database"),
    "half a database": (cut("clavero.db", 0.5), "database"),
    "a database of 100 bytes": (lambda data: os.truncate(data / "clavero.db", 100), "database"),
    "a database of garbage": (overwrite, "database"),
    "vault emptied": (vault("DELETE FROM sealed_key"), "vault"),
    "vault spoilt": (vault("UPDATE sealed_key SET sealed = zeroblob(60)"), "vault|root_key"),
}


def content(file: Path) -> bytes | None:
    """What a file holds, as far as this user may look."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, PermissionError):
        return None


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_named_and_left_as_it_is(data: Path, what: str) -> None:
    spoil, says = SPOILT[what]
    spoil(data)
    seal = data / "seal" / "root.key"
    before = content(seal)
    size = (data / "clavero.db").stat().st_size
    said = refused(data, plain=True)
    assert re.search(says, said), said
    assert content(seal) == before, "the seal was touched"
    assert (data / "clavero.db").stat().st_size == size, "the database was touched"


HARMLESS: dict[str, Callable[[Path], None]] = {
    "port of the simulator": write("run/simulator.port", b"\xffnonsense"),
    "lock of a dead one": write("lock", b"999999"),
    "ready file of a dead one": write("run/ready.json", b"{"),
    "admin token gone": lambda data: (data / "admin.token").unlink(),
    "a strange folder in the journal": write("journal/lost+found/inode", b"?"),
    "a segment of garbage": write(f"journal/{'0' * 32}/0.seg", os.urandom(10_000)),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_can_be_done_without_does_not_stop_a_start(data: Path, what: str) -> None:
    HARMLESS[what](data)
    running = start(data)
    try:
        wait_for(lambda: running.chat().status == 200)
        assert running.api("GET", "/status").status == 200
        assert len(running.api("GET", "/requests").json["requests"]) >= 1
        assert "Traceback" not in data.with_name("data.log").read_text()
    finally:
        assert running.stop() == 0


# --- disks


DEAR = {**CHAT, "max_tokens": 16_000}  # more than any slice at hand, so that the database is asked
FULL = {"storage_full", "ledger_unavailable", "budget_busy"}


def refused_in(running: Running, most: int, body: object = CHAT) -> set[str]:
    """Call until the disk says no; the codes of the refusals. Every answer that was given is kept."""
    codes = set()
    for _ in range(most):
        answer = running.post("/v1/chat/completions", body)
        if answer.status != 200:
            codes.add(str(answer.json["error"]["code"]))
            assert answer.status == 503, answer.body
            break
    return codes


def fill_disk(data: Path) -> Path:
    """Take all room where this data is, with nothing left to the database either; returns the file to remove."""
    with contextlib.closing(sqlite3.connect(data / "clavero.db", timeout=10)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(data.with_name("ballast"))
    return data.with_name("ballast")


def test_a_start_on_a_full_disk_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [*CLAVERO, "up", "--demo", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", "--admin-port", "0"],
        capture_output=True, text=True, timeout=60, check=False, env=clean_environ(tmp_path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024)),
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "fix:" in done.stderr


def test_a_disk_that_fills_refuses_calls_and_loses_no_record(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    try:
        wait_for(lambda: running.chat().status == 200)
        answered = [running.chat().headers["x-request-id"] for _ in range(3)]
        worker = running.children()["gateway_main"]
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        codes = refused_in(running, 60)
        assert codes <= FULL
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: running.chat().status == 200, 20)
        for request_id in answered:
            wait_for(lambda asked=request_id: running.api("GET", f"/requests/{asked}").status == 200)
        assert "Traceback" not in running.data.with_name("data.log").read_text()
    finally:
        assert running.stop() == 0


@pytest.mark.nightly
def test_a_full_disk_refuses_and_recovers(small_disk: Path, tmp_path: Path) -> None:
    running = start(small_disk / "data", environ=clean_environ(tmp_path))
    try:
        wait_for(lambda: running.chat().status == 200)
        answered = [running.chat().headers["x-request-id"] for _ in range(3)]
        ballast = fill_disk(running.data)
        codes = refused_in(running, 20, DEAR)
        assert codes, "the disk was full and nobody was refused"
        assert codes <= FULL
        change = running.api("POST", "/keys", {"name": "prod-full-01", "owner": "asha"})
        assert change.status in {201, 503}, change.body
        ballast.unlink()
        wait_for(lambda: running.chat().status == 200, 20)
        wait_for(lambda: running.api("POST", "/teams", {"name": "after"}).status == 201, 20)
        for request_id in answered:
            wait_for(lambda asked=request_id: running.api("GET", f"/requests/{asked}").status == 200)
        assert "Traceback" not in (small_disk / "data.log").read_text()
    finally:
        assert running.stop() == 0


@pytest.mark.nightly
@pytest.mark.parametrize("logged", ["on the full disk", "elsewhere"])
def test_a_stop_on_a_full_disk_is_a_stop(small_disk: Path, tmp_path: Path, logged: str) -> None:
    """What could not be read before the end is read at the next start; a log without room is no failure."""
    data = small_disk / "data"
    if logged == "elsewhere":
        (small_disk / "data.log").symlink_to(tmp_path / "data.log")
    running = start(data, environ=clean_environ(tmp_path))
    wait_for(lambda: running.chat().status == 200)
    answered = running.chat().headers["x-request-id"]
    ballast = fill_disk(data)
    assert refused_in(running, 20, DEAR) <= FULL
    assert running.stop() == 0
    log = (small_disk / "data.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") :]
    ballast.unlink()
    again = start(data, environ=clean_environ(tmp_path))
    try:
        wait_for(lambda: again.api("GET", f"/requests/{answered}").status == 200)
    finally:
        assert again.stop() == 0
