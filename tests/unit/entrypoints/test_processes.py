import os
import subprocess
import sys

from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.processes import (
    Alive,
    Failed,
    Instructions,
    Ready,
    Reporter,
    failure_of,
    hand_over,
    read_report,
    take_instructions,
)
from clavero.settings import Settings

ROOT_KEY = bytes(range(32))


def instructions() -> Instructions:
    return Instructions(
        settings=Settings(),
        root_keys=(ROOT_KEY,),
        name="gateway-1",
        report_fd=9,
        orders_fd=8,
        gateway_port=1,
        admin_port=2,
    )


def test_instructions_are_read_once_from_a_pipe() -> None:
    assert take_instructions(hand_over(instructions())) == instructions()


def test_the_root_key_is_not_shown_with_the_instructions() -> None:
    assert ROOT_KEY.hex() not in repr(instructions())
    assert str(ROOT_KEY) not in repr(instructions())


def test_reports_are_lines() -> None:
    reader, writer = os.pipe()
    reporter = Reporter(writer)
    failure = StartFailure("port_in_use", "port 1 is in use", "another", Exit.CANNOT_START)
    reporter.say(Ready({"link": "x"}))
    reporter.say(Alive(7))
    reporter.failed(failure)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        ready, alive, failed = (read_report(line) for line in told)
    assert ready == Ready({"link": "x"})
    assert alive == Alive(7)
    assert isinstance(failed, Failed)
    assert str(failure_of(failed)) == str(failure)


def test_a_supervisor_that_has_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Reporter(writer).say(Ready())
    os.close(writer)


def test_a_supervisor_that_does_not_read_stops_no_child() -> None:
    reader, writer = os.pipe()
    reporter = Reporter(writer)
    for _ in range(10_000):  # more than a pipe holds
        reporter.say(Alive(1))
    os.close(reader)
    os.close(writer)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    program = "from clavero.entrypoints.processes import die_with_parent; die_with_parent(1); print('alive')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == Exit.FAILED
    assert done.stdout == ""


def test_the_memory_of_a_child_is_not_for_others() -> None:
    program = (
        "import ctypes; from clavero.entrypoints.processes import guard_memory; guard_memory();"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_a_guarded_process_leaves_no_core() -> None:
    program = (
        "import resource; from clavero.entrypoints.processes import guard_memory; guard_memory();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0)"
