"""`clavero bench`, small: that it measures what it says, not how fast it is."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.e2e.running import CLAVERO, clean_environ

KEYS = {
    "exchange_us",
    "chunk_us",
    "nginx_us",
    "nginx_chunk_us",
    "ratio_to_nginx",
    "ratio_chunk",
    "ratio_translated",
    "rounds",
}


def test_without_nginx_it_says_how_to_get_it(tmp_path: Path) -> None:
    words = [*CLAVERO, "bench", "--nginx", "no-such-nginx"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=clean_environ(tmp_path))
    assert done.returncode == 7
    assert "apt-get install nginx-light" in done.stderr


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_a_small_run_gives_every_figure(tmp_path: Path) -> None:
    assert shutil.which("nginx") or Path("/usr/sbin/nginx").exists(), "apt-get install nginx-light"
    words = [*CLAVERO, "bench", "--rounds", "1", "--exchanges", "500", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280, check=False, env=clean_environ(tmp_path))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) >= KEYS
    assert figures["broken"] == 0
    assert figures["ratio_to_nginx"] > 0
