import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import Running, start


@pytest.fixture(scope="module")
def clavero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo, running for the tests of one file."""
    running = start(tmp_path_factory.mktemp("clavero") / "data")
    yield running
    running.stop()
