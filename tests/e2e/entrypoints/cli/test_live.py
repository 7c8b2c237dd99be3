"""`clavero top` on a real terminal: what it shows, how it ends, and how it leaves the terminal behind."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest
from tests.e2e.running import CLAVERO, Running, wait_for

SECONDS = 60.0
ENTERS, LEAVES, CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


class Terminal:
    """One terminal of its own, with a `clavero top` on it."""

    def __init__(self, clavero: Running, *flags: str, columns: int = 80, rows: int = 24, **variables: str) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        environ = {
            **clavero.environ, "TERM": "xterm-256color", "CLAVERO_URL": clavero.admin, "LANG": "C.UTF-8",
            "CLAVERO_ADMIN_TOKEN_FILE": clavero.ready["admin_token_file"], **variables,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [*CLAVERO, "top", *flags], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environ,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread
        )  # fmt: skip
        self.seen = ""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float) -> None:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.seen += os.read(self.master, 65536).decode("utf-8", "replace")

    def shows(self, wanted: str, seconds: float = SECONDS) -> str:
        """Wait until this has been drawn since it was last asked; what was drawn, without its colours."""
        until = time.monotonic() + seconds
        while wanted not in (plain := re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.seen)):
            assert time.monotonic() < until, plain[-3000:]
            assert self.process.poll() is None, plain[-3000:]
            self.read(0.2)
        self.seen = ""
        return plain

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it wrote until then; the terminal must be as it was."""
        until = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < until, self.seen[-2000:]
            self.read(0.2)
        self.read(0.2)
        assert termios.tcgetattr(self.slave) == self.before
        return self.process.returncode, self.seen

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.close()


def test_it_shows_what_goes_on_and_q_leaves_no_trace(clavero: Running, terminals: list[Terminal]) -> None:
    assert clavero.chat().status == 200
    top = Terminal(clavero)
    terminals.append(top)
    drawn = top.shows("prod-support-chat-01")
    for wanted in ("gateway-1", "simulated", "team/support", "calls/s", "q ends"):
        assert wanted in drawn
    top.press("s")
    top.shows("s sorts: failed")
    assert clavero.chat().status == 200
    top.shows("gateway-1")  # and again, by itself
    top.press("q")
    code, rest = top.ended()
    assert code == 0
    assert LEAVES in rest
    assert rest.rindex(CURSOR) > rest.rfind("\x1b[?25l")


@pytest.mark.parametrize("how", ["ctrl-c", "sigterm", "sighup"])
def test_however_it_ends_the_terminal_is_given_back(clavero: Running, terminals: list[Terminal], how: str) -> None:
    top = Terminal(clavero)
    terminals.append(top)
    top.read(1)
    top.shows("gateway-1")
    if how == "ctrl-c":
        top.press("\x03")
    else:
        top.process.send_signal(signal.SIGTERM if how == "sigterm" else signal.SIGHUP)
    code, rest = top.ended()
    assert code == (130 if how == "ctrl-c" else 0)
    assert LEAVES in rest
    assert CURSOR in rest
    assert "Traceback" not in rest


def test_it_goes_on_when_the_control_plane_is_started_again(clavero: Running, terminals: list[Terminal]) -> None:
    top = Terminal(clavero)
    terminals.append(top)
    top.shows("gateway-1")
    control = clavero.children()["control_main"]
    os.kill(control, signal.SIGSTOP)
    assert "gateway-1" in top.shows("no answer for")  # what was known stays, and says how old it is
    os.kill(control, signal.SIGKILL)
    wait_for(lambda: clavero.children().get("control_main", control) != control, SECONDS)
    until = time.monotonic() + SECONDS
    while "no answer for" in top.shows("gateway-1"):
        assert time.monotonic() < until
    top.press("q")
    assert top.ended()[0] == 0


def test_a_tiny_terminal_gets_what_fits_and_a_larger_one_more(clavero: Running, terminals: list[Terminal]) -> None:
    top = Terminal(clavero, columns=30, rows=8)
    terminals.append(top)
    assert "OURS P99" not in top.shows("gateway-1")
    top.resize(100, 40)
    top.shows("OURS P99")
    top.press("q")
    assert top.ended()[0] == 0


def test_without_colours_there_are_signs(clavero: Running, terminals: list[Terminal]) -> None:
    top = Terminal(clavero, NO_COLOR="1")
    terminals.append(top)
    top.read(1)
    until = time.monotonic() + SECONDS
    while "gateway-1" not in top.seen:
        assert time.monotonic() < until
        top.read(0.2)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", top.seen)
    assert "✓ gateway-1" in top.seen
    top.press("q")
    assert top.ended()[0] == 0


def test_into_a_pipe_it_goes_once_and_without_a_control_code(clavero: Running) -> None:
    done = clavero.cli("top")
    assert "gateway-1" in done.stdout
    assert not set(done.stdout) & {"\x1b", "\r"}
    assert json.loads(clavero.cli("top", "--json").stdout)["workers"][0]["worker"] == "gateway-1"


def test_where_nothing_runs_it_says_so_and_ends(clavero: Running) -> None:
    done = clavero.cli("top", "--url", "http://127.0.0.1:1", check=False)
    assert done.returncode == 1
    assert "not_running" in done.stderr
    assert clavero.cli("top", "--sort", "colour", check=False).returncode == 2
