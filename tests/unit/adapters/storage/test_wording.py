import pytest
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, OperationalError, ProgrammingError

from clavero.adapters.storage.wording import opening, why, worded
from clavero.domain.refusals import Conflict, InvalidValue, Refusal, StorageUnavailable
from clavero.domain.startup import StartFailure


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (OperationalError("q", {}, Exception("database or disk is full")), StorageUnavailable),
        (DatabaseError("q", {}, Exception("database disk image is malformed")), StorageUnavailable),
        (IntegrityError("q", {}, Exception("UNIQUE constraint failed")), Conflict),
        (DataError("q", {}, Exception("value out of range")), InvalidValue),
        (OverflowError("too large"), InvalidValue),
        (OSError("Connection refused"), StorageUnavailable),
    ],
)
def test_what_a_driver_says_becomes_a_refusal(error: Exception, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal), worded():
        raise error


def test_a_fault_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ProgrammingError), worded():
        raise ProgrammingError("q", {}, Exception("no such table"))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("database or disk is full", "is full"),
        ("could not extend file: No space left on device", "is full"),
        ("attempt to write a readonly database", "is read-only"),
        ("cannot execute UPDATE in a read-only transaction", "is read-only"),
        ("file is not a database", "is damaged"),
        ("database is locked", "is busy"),
        ("canceling statement due to lock timeout", "is busy"),
        ("connection refused", "is away"),
    ],
)
def test_the_reason_is_said_in_a_few_words(told: str, words: str) -> None:
    assert why(Exception(told)) == words


def test_a_start_fails_with_one_line() -> None:
    with pytest.raises(StartFailure, match="the database is read-only"), opening():
        raise OperationalError("q", {}, Exception("attempt to write a readonly database"))
