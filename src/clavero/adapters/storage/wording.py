"""What a driver says of a database that is away, full, read-only or contradicted, in our words."""

import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clavero.domain.refusals import Conflict, InvalidValue, StorageUnavailable
from clavero.domain.startup import StartFailure

_FIX = "free space or restore it, then repeat"
_WORDS = {
    "full": "is full",
    "no space": "is full",
    "readonly": "is read-only",
    "read-only": "is read-only",
    "not a database": "is damaged",
    "malformed": "is damaged",
    "locked": "is busy",
    "lock timeout": "is busy",
}


@contextlib.contextmanager
def worded() -> Iterator[None]:
    """Refusals in place of the driver's errors; whatever is not the database's fault passes."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Somebody changed it meanwhile", "Show it, then change it again") from error
    except (DataError, UnicodeError, OverflowError) as error:
        raise InvalidValue("text", "of characters that can be stored, and numbers of 64 bits") from error
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise StorageUnavailable(why(error)) from error
    except DBAPIError as error:
        if type(error) is DatabaseError or error.connection_invalidated:
            raise StorageUnavailable(why(error)) from error
        raise


@contextlib.contextmanager
def opening() -> Iterator[None]:
    """One line in place of the driver's errors, for a start."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise StartFailure("database_unavailable", f"the database {why(error)}", _FIX) from None


def why(error: Exception) -> str:
    """The predicate of the sentence that begins with *the database*."""
    told = str(error).lower()
    return next((words for sign, words in _WORDS.items() if sign in told), "is away")
