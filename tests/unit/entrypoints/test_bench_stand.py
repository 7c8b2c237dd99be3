import os
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.entrypoints.bench_stand import Run, Stand, open_stand


def test_cpu_and_memory_are_of_the_process_that_is_measured(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.pids["self"] = [os.getpid()]
    before = stand.cpu_ns("self")
    sum(range(10**6))
    assert stand.cpu_ns("self") > before
    assert stand.rss_kib("self") > 1000


def test_of_several_workers_cpu_is_the_sum_and_memory_the_largest(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(sum(range(10**6)), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        stand.pids |= {"one": [os.getpid()], "other": [child.pid], "both": [os.getpid(), child.pid]}
        one, other = stand.cpu_ns("one"), stand.cpu_ns("other")
        assert other > 0
        assert stand.cpu_ns("both") >= one + other
        assert stand.rss_kib("both") == stand.rss_kib("one") > stand.rss_kib("other")
    finally:
        child.communicate(b"\n")


def test_only_good_answers_count() -> None:
    assert Run({"200": 3, "503": 2}, 1, 1.0, 1, 2).count == 3


def test_without_nginx_the_remedy_is_said() -> None:
    with pytest.raises(StartFailure, match="no-such") as caught, open_stand("no-such"):
        pass
    assert "nginx-light" in caught.value.fix
