"""What a database can tell about its own health: its pages and indexes, its schema, the sums that money rests on."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine, text

from clavero.adapters.storage.engines import sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.queries import query
from clavero.adapters.storage.shape import Shape, differences, shape
from clavero.adapters.storage.tables import METADATA
from clavero.domain.audit import BEGINNING, AuditRow, first_bad

_PAGE = 1000
_MOST = 20  # findings of one kind that are told
Told = Callable[[str, int], None]

_SCRATCH = "clavero_check"
_LEASED = """
    SELECT l.budget_id, l.period_start, l.leased, l.lost,
    coalesce(sum(o.granted - o.returned - o.posted - o.moved), 0) AS shares, coalesce(sum(o.lost), 0) AS lost_shares
    FROM ledger l LEFT JOIN lease o ON o.budget_id = l.budget_id AND o.period_start = l.period_start
    GROUP BY l.budget_id, l.period_start, l.leased, l.lost"""
_CHARGED = "SELECT budget_id, period_start, sum(charged_n) FROM usage_charge GROUP BY budget_id, period_start"
_CAPS = "SELECT budget_id, period_start FROM ledger WHERE posted + leased + lost > limit_n + excess"


def pages(connection: Connection, dialect: Dialect, *, deep: bool) -> list[str]:
    """What the database finds wrong with its own files; empty where nothing is."""
    if dialect is Dialect.SQLITE:
        verb = "integrity_check" if deep else "quick_check"
        found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {verb}({_MOST})")]
        keys = [
            f"a row of {row[0]} names one that is not there"
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return [line for line in found if line != "ok"] + keys[:_MOST]
    broken = connection.execute(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
    lines = [f"index {name} is not valid" for (name,) in broken]
    failures = connection.execute(
        text("SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()")
    ).scalar()
    return lines + ([f"{failures} pages had a wrong checksum"] if failures else [])


def schema_differences(engine: Engine, dialect: Dialect) -> list[str]:
    """How the schema differs from what a first start makes."""
    with engine.connect() as connection:
        found = shape(connection.execution_options(look=True), dialect)
    return differences(_wanted(engine, dialect), found)


def ledger(connection: Connection) -> Iterator[str]:
    """Rows of the ledger whose sums do not agree with leases and usage, or that are beyond their limit."""
    for row in connection.execute(text(_LEASED)).mappings():
        name = f"{row['budget_id']} of {row['period_start']}"
        if int(row["leased"]) != int(row["shares"]):
            yield f"{name}: leased {row['leased']}, shares {row['shares']}"
        if int(row["lost"]) != int(row["lost_shares"]):
            yield f"{name}: lost {row['lost']}, of leases {row['lost_shares']}"
    for budget, period in connection.execute(text(_CAPS)):
        yield f"{budget} of {period}: more is committed than its limit and what is known to be beyond it"
    yield from _posted(connection)


def audit(connection: Connection, told: Told) -> tuple[int, int]:
    """How many rows of the chain were read, and the first that is not as it was written (0: none)."""
    count, previous = 0, BEGINNING
    while True:
        found = connection.execute(
            text(query("audit_since", Dialect.SQLITE)), {"after": count, "most": _PAGE}
        ).mappings()
        rows = [AuditRow(**row) for row in found]
        bad = first_bad(rows, previous, count)
        if bad is not None or not rows:
            return count + len(rows), bad or 0
        count, previous = rows[-1].seq, rows[-1].hash
        told("audit", count)


def _posted(connection: Connection) -> Iterator[str]:
    """Posted is the sum of usage, to the nano-dollar, wherever no day of it was put away by age."""
    oldest = connection.execute(text("SELECT min(day) FROM usage_charge")).scalar()
    since_ns = int(oldest or 0) * 86_400 * 1_000_000_000
    charged = {(str(budget), int(period)): int(sum_n) for budget, period, sum_n in connection.execute(text(_CHARGED))}
    for budget, period, posted in connection.execute(text("SELECT budget_id, period_start, posted FROM ledger")):
        sum_n = charged.get((budget, int(period)), 0)
        if posted < sum_n or (posted > sum_n and int(period) >= since_ns):
            yield f"{budget} of {period}: posted {posted}, usage {sum_n}"


def _wanted(engine: Engine, dialect: Dialect) -> Shape:
    """What a first start would make, made for a moment where nobody sees it."""
    if dialect is Dialect.SQLITE:
        scratch = sqlite_engine(None)
        with scratch.connect() as connection:
            return _made(connection, dialect)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA " + _SCRATCH)
        connection.exec_driver_sql("SET LOCAL search_path TO " + _SCRATCH)
        try:
            return _made(connection, dialect)
        finally:
            connection.rollback()


def _made(connection: Connection, dialect: Dialect) -> Shape:
    for metadata in (METADATA, LEDGER_METADATA):
        metadata.create_all(connection, checkfirst=False)
    return shape(connection, dialect)
