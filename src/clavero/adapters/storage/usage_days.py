"""The partitions of `usage` on PostgreSQL: one for each UTC day, made before a row needs it and dropped whole.

A partition is made beside the table and then attached: that waits for nobody who reads or writes, as making it in
place would. There is none for other days: a row finds its own or is not written, so a day never has rows elsewhere.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Session

TURN: Final = Statement("SELECT pg_advisory_xact_lock(1668047223)")  # whoever opens or drops days lets others wait
HAS: Final = Statement("SELECT c.relispartition FROM pg_class c WHERE c.oid = to_regclass(:name)")
DAYS: Final = Statement(
    """SELECT CAST(substring(c.relname FROM 8) AS integer), c.relispartition FROM pg_class c
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace)
    AND c.relkind = 'r' AND c.relname ~ '^usage_d-?[0-9]+$'
    ORDER BY 1"""
)


def name_of(day: int) -> str:
    """What the partition of a day is called."""
    return f"usage_d{day}"


def opening(day: int) -> Iterator[str]:
    """The statements that make the partition of a day."""
    name = name_of(day)
    yield f'CREATE TABLE "{name}" (LIKE usage INCLUDING ALL)'
    yield f'ALTER TABLE usage ATTACH PARTITION "{name}" FOR VALUES FROM ({day:d}) TO ({day + 1:d})'


def dropping(day: int) -> Iterator[str]:
    """The statement that forgets a day whose partition was taken off."""
    yield f'DROP TABLE "{name_of(day)}"'


def open_days(session: Session, days: Iterable[int]) -> None:
    """Make the partitions that are missing among these; one that was taken off, to be forgotten, is."""
    session.rows(TURN, {})
    for day in sorted(days):
        found = session.rows(HAS, {"name": f'"{name_of(day)}"'})
        if found != [(True,)]:
            for statement in [*dropping(day)] * bool(found) + [*opening(day)]:
                session.change(Statement(statement), {})
