import os
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.entrypoints.bench_stand import Run, Stand, open_stand


def test_cpu_and_memory_are_of_the_process_that_is_measured(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.pids["self"] = os.getpid()
    before = stand.cpu_ns("self")
    sum(range(10**6))
    assert stand.cpu_ns("self") > before
    assert stand.rss_kib("self") > 1000


def test_only_good_answers_count() -> None:
    assert Run({"200": 3, "503": 2}, 1, 1.0, 1, 2).count == 3


def test_without_nginx_the_remedy_is_said() -> None:
    with pytest.raises(StartFailure, match="no-such") as caught, open_stand("no-such"):
        pass
    assert "nginx-light" in caught.value.fix
