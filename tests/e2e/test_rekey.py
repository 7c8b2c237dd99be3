"""Re-keying with real processes: calls go on, whoever dies, and nothing of a key or passphrase lies about.

`tests/unit/control/test_rekey.py` kills at every effect there is; here it is processes that are killed, at any moment.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.contract.conftest import postgres_url as _postgres_url
from tests.e2e.canaries import cells, files, processes
from tests.e2e.running import Running, clean_environ, start, wait_for
from tests.e2e.vaults import WORDS, Caller, fill, needles, opened_by_hand, roots_of

from clavero.domain.secret import Secret
from clavero.vault.passphrase import Sealed, derive

postgres_url = _postgres_url
BOTH = {"root": True, "tenants": ["default"]}
POINTS = 100
WHO = ("supervisor", "control plane", "worker", "control plane and workers")


def done(running: Running) -> bool:
    """Whether the move is over; False where nobody answers yet."""
    try:
        answer = running.api("GET", "/vault")
    except OSError:
        return False
    return answer.status == 200 and bool(answer.json["rekey"]) and answer.json["rekey"]["state"] == "done"


def begin(running: Running) -> str:
    answer = running.api("POST", "/vault/rekey", BOTH)
    assert answer.status == 202, answer.body
    return str(answer.json["rekey"]["id"])


def children(running: Running) -> dict[str, list[int]]:
    """Process ids by module; there may be several workers."""
    found: dict[str, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        if parent == running.process.pid and len(words) > 2:
            found.setdefault(words[2].decode().rpartition(".")[2], []).append(int(entry.name))
    return found


@pytest.mark.timeout(180)
@pytest.mark.requirement(11)
def test_calls_go_on_while_the_vault_moves_and_the_control_plane_dies(tmp_path: Path) -> None:
    running = start(tmp_path / "data", "--workers", "2")
    try:
        old = roots_of(running.data).ids
        secrets = fill(running, 30)
        with Caller(running) as caller:
            wait_for(lambda: caller.calls > 3)
            begin(running)
            os.kill(children(running)["control_main"][0], signal.SIGKILL)
            wait_for(lambda: done(running), 60)
            calls = caller.calls
            wait_for(lambda: caller.calls > calls + 3)
        assert caller.failures == []
        told = running.api("GET", "/vault?verify=true").json
        assert (told["unreadable"], told["check"], told["held"]) == ([], "ok", [told["root_key"]])
        assert roots_of(running.data).ids == (told["root_key"],) != old
        assert secrets < opened_by_hand(running.data)
        assert running.api("GET", "/audit/verify").json["first_bad"] is None
        os.kill(children(running)["gateway_main"][0], signal.SIGKILL)  # its successor starts with the new keys alone
        wait_for(lambda: len(children(running).get("gateway_main", [])) == 2)
    finally:
        running.stop()


@pytest.mark.timeout(180)
@pytest.mark.requirement(12)
def test_no_root_key_no_passphrase_and_no_derived_key_lies_about(tmp_path: Path) -> None:
    place = tmp_path / "words"
    place.write_text(WORDS + "\n")
    place.chmod(0o600)
    environ = {**clean_environ(tmp_path), "CLAVERO_VAULT_PASSPHRASE_FILE": str(place), "CLAVERO_LOG_LEVEL": "debug"}
    running = start(tmp_path / "data", environ=environ)
    try:
        secret = {"old root key": roots_of(running.data).values[0]}
        assert running.chat().status == 200
        begin(running)
        wait_for(lambda: done(running), 60)
        secret["new root key"] = roots_of(running.data).values[0]
        assert secret["new root key"] != secret["old root key"]
        sealed = msgspec.json.decode((running.data / "seal" / "root.key").read_bytes(), type=Sealed)
        secret["derived key"] = derive(Secret(WORDS), sealed.salt, sealed.argon2id)
        known = {needle: name for name, key in secret.items() for needle in needles(key)} | {
            WORDS.encode(): "passphrase"
        }
        told = running.cli("vault", "status", "--verify", "--json").stdout + running.api("GET", "/vault").body.decode()
        alive = {"supervisor": running.process.pid, **running.children()}
        seen = [("answers", told.encode()), ("log", running.data.with_name("data.log").read_bytes())]
        seen += [*processes(alive, "cmdline"), *processes(alive, "environ"), *cells(running.data / "clavero.db")]
        for name, pid in alive.items():
            limits = (Path("/proc") / str(pid) / "limits").read_text()
            core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
            assert name == "simulator_main" or core.split()[4:6] == ["0", "0"], name
    finally:
        running.stop()
    seen += files(running.data)  # the journal's segments among them
    assert any("journal" in where for where, _ in seen)
    assert [f"{known[needle]} in {where}" for where, data in seen for needle in known if needle in data] == []


# --- by night


@pytest.fixture(params=["sqlite", "postgres"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    plain = clean_environ(tmp_path)
    if request.param == "sqlite":
        yield plain
        return
    place = tmp_path / "words"  # on the server the seal is a passphrase, too
    place.write_text(WORDS)
    place.chmod(0o600)
    url = request.getfixturevalue("postgres_url")
    yield {**plain, "DATABASE_URL": url, "CLAVERO_VAULT_PASSPHRASE_FILE": str(place)}


def victims(running: Running, turn: int) -> list[int]:
    """Whose turn it is: the supervisor (and with it everybody), the control plane, a worker, or two at once."""
    alive = children(running)
    match turn % 4:
        case 0:
            return [running.process.pid]
        case 1:
            return alive["control_main"]
        case 2:
            return alive["gateway_main"][:1]
        case _:
            return [*alive["control_main"], *alive["gateway_main"]]


class Vaulted:
    """A clavero with a full vault, started again whenever its supervisor was killed."""

    def __init__(self, data: Path, environ: dict[str, str]) -> None:
        self.data = data
        self.environ = environ
        self.running = self.start()
        self.secrets = fill(self.running, 300)
        self.calls = self.busy = 0  # while the control plane was dead

    def start(self) -> Running:
        return start(self.data, "--workers", "2", environ=self.environ)

    def check(self) -> None:
        """Every secret opens, with what lies on the disk alone."""
        assert self.secrets < opened_by_hand(self.data, self.environ.get("DATABASE_URL", ""))

    def is_whole(self) -> bool:
        return len(children(self.running).get("gateway_main", [])) == 2 and answers(self.running)

    def killed_at(self, seconds: float, turn: int) -> None:
        """Kill somebody so long after a move began; everything opens then and after it went on to its end."""
        move = begin(self.running)
        time.sleep(seconds)
        dying = victims(self.running, turn)
        with Caller(self.running) as caller:
            for pid in dying:
                os.kill(pid, signal.SIGKILL)
            if turn == 0:
                self.running.process.wait(20)
                self.check()
            else:
                wait_for(lambda: done(self.running), 90)
        if turn == 0:
            self.running = self.start()
        if turn == 1:
            assert caller.failures == [], "calls go on without a control plane"
            self.calls, self.busy = self.calls + caller.calls, self.busy + caller.busy
        wait_for(lambda: done(self.running), 90)
        told = self.running.api("GET", "/vault?verify=true").json
        assert told["rekey"]["id"] == move
        assert (told["unreadable"], told["check"], told["held"]) == ([], "ok", [told["root_key"]])
        assert list(told["cells"]) == list(told["keys"]) == told["held"]
        self.check()
        wait_for(self.is_whole, 60)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_killed_at_a_hundred_moments_everything_opens_and_the_move_comes_to_its_end(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    vault = Vaulted(tmp_path / "data", environ)
    begun = time.monotonic()
    begin(vault.running)
    wait_for(lambda: done(vault.running), 60)
    whole = time.monotonic() - begun
    for point in range(POINTS):
        vault.killed_at(whole * point / POINTS, point % 4)
        sys.stderr.write(f"\r{point + 1} of {POINTS} killed ({WHO[point % 4]}), 300 of 300 open; ")
        sys.stderr.write(f"{vault.calls} calls while the control plane was dead, {vault.busy} told to retry")
    assert vault.running.api("GET", "/audit/verify").json["first_bad"] is None
    assert vault.running.stop() == 0


def answers(running: Running) -> bool:
    try:
        return running.chat().status == 200
    except OSError:
        return False
