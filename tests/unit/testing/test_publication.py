import pytest

from clavero.domain.keys import Key, Kid
from clavero.testing.publication import MemoryPublication
from clavero.testing.store import MemoryStore


def test_it_can_be_away() -> None:
    publication = MemoryPublication(MemoryStore())
    publication.away = True
    for ask in (publication.load, lambda: publication.wait(0, 0.0), lambda: publication.fetch(Key, [Kid("x")])):
        with pytest.raises(ConnectionError):
            ask()
