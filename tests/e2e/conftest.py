from collections.abc import Iterator

import pytest
from tests.e2e.running import Running, start


@pytest.fixture(scope="module")
def clavero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo, running for the tests of one file."""
    running = start(tmp_path_factory.mktemp("clavero") / "data")
    yield running
    running.stop()
