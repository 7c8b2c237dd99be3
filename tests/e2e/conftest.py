import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.running import Running, start


@pytest.fixture(scope="module")
def clavero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo, running for the tests of one file."""
    running = start(tmp_path_factory.mktemp("clavero") / "data")
    yield running
    running.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 72 MiB; only one who may mount can have it, so its tests are of the nightly profile."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.fail("only one who may mount can fill a disk: run make nightly as root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
