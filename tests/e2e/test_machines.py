"""Two machines on one PostgreSQL: one with the control plane, one that only carries calls and reads its own journals."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.contract.conftest import postgres_url as _postgres_url
from tests.e2e.own_provider import introduce, own_provider
from tests.e2e.revoking import OpenStream
from tests.e2e.running import CLAVERO, Running, clean_environ, start, wait_for

postgres_url = _postgres_url  # one server of this process, as the contract suites have it
STALE, GIVEN_UP = "3", 6.0  # seconds
LIMIT = 50_000_000


class Pair:
    """The machine with the control plane, the one without, and the ledger they share."""

    def __init__(self, folder: Path, url: str) -> None:
        self.environ = {**clean_environ(folder), "DATABASE_URL": url, "CLAVERO_LEDGER_STALE_SECONDS": STALE}
        self.folder, self.url = folder, url
        self.home = start(folder / "home", environ=self.environ)
        seal = folder / "outpost" / "seal"
        seal.mkdir(parents=True, mode=0o700)
        shutil.copy2(folder / "home" / "seal" / "root.key", seal / "root.key")
        self.outpost = self.begin()

    def begin(self) -> Running:
        return start(self.folder / "outpost", "--control-plane", "elsewhere", demo=False, environ=self.environ)

    def key(self, name: str) -> str:
        """A key with a budget, known to both machines."""
        made = self.home.api("POST", "/keys", {"name": name, "owner": "asha"}).json
        limit = {"subject": "key", "name": name, "window": "day", "limit_usd": "0.05"}
        assert self.home.api("PUT", "/budgets", limit).status in {200, 201}
        for machine in (self.home, self.outpost):
            wait_for(lambda machine=machine: machine.chat_with(made["secret"]).status == 200)
        return str(made["secret"])

    def row(self, name: str) -> dict[str, int]:
        """The budget of a key as the ledger has it."""
        [budget] = [one for one in self.home.api("GET", "/budgets").json["budgets"] if one["name"] == name]
        return {what: budget[f"{what}_nano_usd"] for what in ("spent", "held", "lost")}

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def at_rest(self, name: str) -> bool:
        """Whether nothing is out: what was spent is the sum of the rows."""
        row = self.row(name)
        return row["held"] == row["lost"] == 0

    def close(self) -> None:
        for machine in (self.outpost, self.home):
            machine.stop()


def serves(machine: Running, key: str) -> bool:
    """Whether a call is answered; between two boots nobody listens."""
    try:
        return machine.chat_with(key).status == 200
    except OSError:
        return False


def processes(machine: Running) -> list[int]:
    """The supervisor of a machine and all its children."""
    found = [machine.process.pid]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == machine.process.pid:
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Pair]:
    both = Pair(tmp_path_factory.mktemp("machines"), postgres_url)
    try:
        with own_provider() as provider:
            secret = {"secret": "own-key-1"}
            introduce(both.home, provider, lambda: both.home.api("POST", "/providers/own/credential", secret))
            yield both
    finally:
        both.close()


@pytest.mark.timeout(120)
def test_a_machine_without_a_control_plane_answers_and_its_rows_come_into_the_same_ledger(pair: Pair) -> None:
    key = pair.key("prod-both-01")
    answer = pair.outpost.chat_with(key)
    assert answer.status == 200
    request = answer.headers["x-request-id"]
    wait_for(lambda: pair.home.api("GET", f"/requests/{request}").status == 200)
    assert {"gateway_main", "ingest_main"} == set(pair.outpost.children())
    assert pair.outpost.ready["admin_url"] == ""
    wait_for(lambda: pair.at_rest("prod-both-01"))
    assert pair.row("prod-both-01")["spent"] > 0


@pytest.mark.timeout(120)
def test_a_revoked_key_is_refused_on_both_machines(pair: Pair) -> None:
    key = pair.key("prod-both-02")
    assert pair.home.api("POST", "/keys/prod-both-02/revoke", {"reason": "leak"}).status == 200
    for machine in (pair.home, pair.outpost):
        wait_for(lambda machine=machine: machine.chat_with(key).status == 401, 3)


@pytest.mark.timeout(180)
def test_a_machine_that_is_killed_whole_is_written_off_and_comes_back_with_its_journal(pair: Pair) -> None:
    key = pair.key("prod-killed-01")
    stream = OpenStream(pair.outpost, key)
    wait_for(lambda: stream.words > 2)
    for pid in processes(pair.outpost):
        os.kill(pid, signal.SIGKILL)
    pair.outpost.process.wait(10)
    stream.thread.join()
    assert pair.row("prod-killed-01")["held"] > 0
    wait_for(lambda: pair.row("prod-killed-01")["lost"] > 0, GIVEN_UP + 10)
    lost = pair.row("prod-killed-01")
    assert lost["held"] == 0, "reserved as lost"
    wait_for(lambda: pair.home.chat_with(key).status == 200)
    assert pair.row("prod-killed-01")["lost"] == lost["lost"], "and nobody gets it"
    pair.outpost = pair.begin()
    wait_for(lambda: pair.at_rest("prod-killed-01"), 20)
    assert pair.row("prod-killed-01")["spent"] > lost["spent"], "the stream that was open is charged"
    assert pair.outpost.chat_with(key).status == 200


@pytest.mark.nightly
@pytest.mark.timeout(180)
def test_a_machine_that_was_stopped_for_too_long_finds_itself_given_up_and_pays_from_what_was_lost(pair: Pair) -> None:
    key = pair.key("prod-stopped-01")
    stream = OpenStream(pair.outpost, key)
    wait_for(lambda: stream.words > 2)
    before = pair.row("prod-stopped-01")
    stopped = processes(pair.outpost)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: pair.row("prod-stopped-01")["lost"] > 0, GIVEN_UP + 10)
        assert pair.row("prod-stopped-01")["held"] == 0
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
    words = stream.words
    wait_for(lambda: stream.words > words + 3)  # what was under way goes on: its money is reserved still
    stream.leave()
    wait_for(lambda: pair.at_rest("prod-stopped-01"), 60)
    after = pair.row("prod-stopped-01")
    assert after["spent"] > before["spent"]
    [(excess,)] = pair.ask("SELECT coalesce(sum(excess), 0) FROM ledger")
    assert excess == 0
    assert not pair.ask("SELECT 1 FROM journal_rejects")
    wait_for(lambda: serves(pair.outpost, key), 20)  # by a new boot of its worker


@pytest.mark.timeout(120)
def test_what_both_machines_spent_is_the_sum_of_the_rows(pair: Pair) -> None:
    wait_for(lambda: pair.home.api("GET", "/usage?by=service&since=1d").json["equal"])
    amounts = pair.ask("SELECT amounts FROM usage")
    total = sum(charge for (rows,) in amounts for _, _, charge in json.loads(str(rows)))
    assert pair.ask("SELECT sum(posted) FROM ledger") == [(total,)]


def refused(tmp_path: Path, *flags: str, **environ: str) -> str:
    """What `clavero up` says where it does not start."""
    done = subprocess.run(
        [*CLAVERO, "up", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", *flags],
        capture_output=True, text=True, timeout=60, check=False, env={**clean_environ(tmp_path), **environ},
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_second_machine_on_sqlite_is_refused_with_the_remedy(tmp_path: Path) -> None:
    told = refused(tmp_path, "--control-plane", "elsewhere")
    assert "[needs_server]" in told
    assert "DATABASE_URL=postgresql://" in told
    assert not (tmp_path / "data").exists()


def test_a_second_machine_without_the_root_key_is_told_where_it_is(tmp_path: Path, postgres_url: str) -> None:
    told = refused(tmp_path, "--control-plane", "elsewhere", DATABASE_URL=postgres_url)
    assert "[seal_elsewhere]" in told
    assert not (tmp_path / "data" / "seal" / "root.key").exists()
