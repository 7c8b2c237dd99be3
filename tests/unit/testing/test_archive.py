import pytest

from clavero.domain.retention import Kept
from clavero.testing.archive import MemoryArchive


def test_the_twin_forgets_the_oldest_first_and_no_more_than_was_asked() -> None:
    archive = MemoryArchive(row_ns=3)
    archive.rows.update({(Kept.DAYS, 5): 4, (Kept.DAYS, 6): 4, (Kept.DAYS, 9): 4, (Kept.HOURS, 1): 4})
    dropped = archive.drop(Kept.DAYS, 7, 6)
    assert (dropped.rows, dropped.held_ns) == (6, 18)
    assert archive.rows == {(Kept.DAYS, 6): 2, (Kept.DAYS, 9): 4, (Kept.HOURS, 1): 4}
    assert archive.drop(Kept.DAYS, 7, 6).rows == 2
    assert archive.drop(Kept.DAYS, 7, 6).rows == 0


def test_a_twin_that_is_away_does_nothing() -> None:
    archive = MemoryArchive()
    archive.away = True
    with pytest.raises(ConnectionError):
        archive.open_days(1, 1)
    assert archive.days == set()
