import os
import pty
import sys
from pathlib import Path

PROGRAM = """
import os, signal, sys
from clavero.entrypoints.hangup import Terminal
if "ignore" in sys.argv: signal.signal(signal.SIGHUP, signal.SIG_IGN)
terminal = Terminal()
if "ignore" not in sys.argv: signal.signal(signal.SIGHUP, lambda *_: None)
os.write(1, b"before " + str(terminal.left).encode())
said = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
try:
    sys.stdin.read() if "ignore" in sys.argv else signal.pause()
except OSError:  # how a read ends at a terminal that is gone
    pass
os.write(said, str(terminal.left).encode())
os._exit(0)
"""


def left_after_the_terminal_closed(tmp_path: Path, *words: str) -> str:
    """What a program at a terminal says once that terminal is gone."""
    said = tmp_path / "said"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, str(said), *words])
    assert b"before False" in os.read(terminal, 1000)
    while not said.exists():
        os.sched_yield()
    os.close(terminal)
    os.waitpid(pid, 0)
    return said.read_text()


def test_a_terminal_that_was_closed_has_left(tmp_path: Path) -> None:
    assert left_after_the_terminal_closed(tmp_path) == "True"


def test_who_was_told_to_outlive_its_terminal_does_not_miss_it(tmp_path: Path) -> None:
    assert left_after_the_terminal_closed(tmp_path, "ignore") == "False"


def test_without_a_terminal_none_can_leave(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        program = (
            "from clavero.entrypoints.hangup import Terminal; import os; os.write(1, str(Terminal().left).encode())"
        )
        os.dup2(writer, 1)
        os.execv(sys.executable, [sys.executable, "-c", program])
    os.close(writer)
    assert os.read(reader, 100) == b"False"
    os.waitpid(pid, 0)
