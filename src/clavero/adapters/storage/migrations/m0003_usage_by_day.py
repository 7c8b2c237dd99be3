"""Usage by day, with its groups and roll-ups.

The old table is set aside and its rows are moved piece by piece in the order of their holds: each gets the number of
its group, and its sums go into the roll-ups in the same transaction, as if it had been read from a journal.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from alembic import op
from sqlalchemy import Connection, RowMapping, text

from clavero.adapters.storage.frozen import frozen
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.migrate import Piece

revision = "0003"
down_revision = "0002"

SIZE = 2_000
_DAY_NS = 86_400 * 10**9
_NEW = ("CREATE TABLE usage", "CREATE INDEX usage_time")
_GROUP = (
    "key_id", "owner", "service", "team", "project", "environment", "feature", "endpoint", "model_asked",
    "model_served", "provider", "status", "code",
)  # fmt: skip
_ROW = (
    "day", "hold_id", "request_id", "at_ns", "group_id", "key_version", "asked", "input", "cached", "cache_write",
    "output", "reasoning", "cost_n", "price_version", "attempts", "first_token_us", "total_us", "overhead_us",
    "outcome", "streamed", "estimated", "final", "client_request_id", "peer", "output_cap", "held_n", "amounts",
    "flag", "boot_id",
)  # fmt: skip
_SUMS = (
    "calls", "input", "cached", "cache_write", "output", "reasoning", "cost_n", "estimated_n", "unbudgeted_n",
    "charged_n",
)  # fmt: skip
_KEYS: Mapping[str, tuple[str, ...]] = {
    "usage_hour": ("hour", "group_id"),
    "usage_day": ("day", "group_id"),
    "usage_minute": ("minute", "status", "code"),
    "usage_charge": ("day", "budget_id", "period_start"),
}
_ADDED: Mapping[str, tuple[str, ...]] = {
    "usage_hour": _SUMS,
    "usage_day": _SUMS,
    "usage_minute": ("calls", "cost_n"),
    "usage_charge": ("charged_n", "first_n"),
}

Sums = dict[tuple[Any, ...], Counter[str]]


def upgrade() -> None:
    """Set the old table aside, and make the new ones."""
    connection = op.get_bind()
    for index in ("ix_usage_at_ns", "ix_usage_day", "ix_usage_request_id", "usage_key"):
        op.drop_index(index, "usage")
    op.rename_table("usage", "usage_before")
    dialect = Dialect(connection.dialect.name)
    if dialect is Dialect.POSTGRESQL:
        op.execute("ALTER INDEX usage_pkey RENAME TO usage_before_pkey")
    for statement in frozen(dialect, 3).split(";\n"):
        if statement.startswith(_NEW):
            connection.exec_driver_sql(statement)


def fill(connection: Connection, marker: str) -> Piece:
    """Two thousand rows, after the hold in the marker.

    The last piece is empty: one that leaves no marker would be moved again by whoever goes on from there.
    """
    query = text("SELECT * FROM usage_before WHERE hold_id > :after ORDER BY hold_id LIMIT :size")
    rows = connection.execute(query, {"after": marker, "size": SIZE}).mappings().all()
    if not rows:
        return Piece(None)
    if connection.dialect.name == Dialect.POSTGRESQL.value:
        _make_days(connection, {row["day"] for row in rows})
    numbers = _groups(connection, {_group(row) for row in rows})
    connection.execute(text(_into("usage", _ROW)), [_moved(row, numbers[_group(row)]) for row in rows])
    for table, sums in _rolled(rows, numbers).items():
        _add(connection, table, sums)
    latest = "ON CONFLICT (key_id) DO UPDATE SET last_ns = excluded.last_ns WHERE excluded.last_ns > usage_key.last_ns"
    used = [{"key_id": row["key_id"], "last_ns": row["at_ns"]} for row in rows if row["key_id"]]
    if used:
        connection.execute(text(_into("usage_key", ("key_id", "last_ns")) + latest), used)
    return Piece(rows[-1]["hold_id"], len(rows))


def finish() -> None:
    """Nobody reads the old table any more."""
    op.drop_table("usage_before")


def _make_days(connection: Connection, days: Iterable[int]) -> None:
    for day in sorted(days):
        name = f"usage_d{day:d}"
        if not connection.execute(text("SELECT to_regclass(:name)"), {"name": f'"{name}"'}).scalar():
            connection.exec_driver_sql(f'CREATE TABLE "{name}" (LIKE usage INCLUDING ALL)')
            bounds = f"FOR VALUES FROM ({day:d}) TO ({day + 1:d})"
            connection.exec_driver_sql(f'ALTER TABLE usage ATTACH PARTITION "{name}" {bounds}')


def _group(row: RowMapping) -> tuple[Any, ...]:
    """A model's name that led nowhere is the caller's own words and makes no group."""
    members = [row[name] for name in _GROUP]
    if not row["model_served"]:
        members[_GROUP.index("model_asked")] = ""
    return tuple(members)


def _groups(connection: Connection, wanted: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    digests = {hashlib.blake2b(msgspec.msgpack.encode(group), digest_size=16).hexdigest(): group for group in wanted}
    rows = [dict(zip(_GROUP, group, strict=True), digest=digest) for digest, group in sorted(digests.items())]
    connection.execute(text(_into("usage_group", ("digest", *_GROUP)) + "ON CONFLICT (digest) DO NOTHING"), rows)
    found = {}
    for digest, group in digests.items():
        number = connection.execute(text("SELECT id FROM usage_group WHERE digest = :digest"), {"digest": digest})
        found[group] = int(number.scalar_one())
    return found


def _moved(row: RowMapping, group_id: int) -> dict[str, Any]:
    asked = "" if row["model_served"] else row["model_asked"]
    truths = {name: bool(row[name]) for name in ("streamed", "estimated", "final")}
    return {**row, **truths, "group_id": group_id, "asked": asked}


def _rolled(rows: Iterable[RowMapping], numbers: Mapping[tuple[Any, ...], int]) -> dict[str, Sums]:
    found: dict[str, Sums] = {table: {} for table in _KEYS}
    for row in rows:
        for table, key, sums in _parts(row, numbers[_group(row)]):
            found[table].setdefault(key, Counter()).update(sums)
    return found


def _parts(row: RowMapping, number: int) -> Iterator[tuple[str, tuple[Any, ...], dict[str, int]]]:
    """What a row adds to each roll-up."""
    amounts = msgspec.json.decode(row["amounts"] or "[]")
    sums = {
        **{name: row[name] for name in ("input", "cached", "cache_write", "output", "reasoning", "cost_n")},
        "calls": int(row["final"]),
        "estimated_n": row["cost_n"] if row["estimated"] else 0,
        "unbudgeted_n": 0 if amounts else row["cost_n"],
        "charged_n": amounts[0][2] if amounts else 0,
    }
    yield "usage_hour", (row["at_ns"] // (_DAY_NS // 24), number), sums
    yield "usage_day", (row["day"], number), sums
    yield "usage_minute", (row["at_ns"] // (_DAY_NS // 1440), row["status"], row["code"]), sums
    for place, (budget, period, charge) in enumerate(amounts):
        first = 0 if place else charge
        yield "usage_charge", (row["day"], budget, period), {"charged_n": charge, "first_n": first}


def _add(connection: Connection, table: str, found: Sums) -> None:
    if not found:
        return
    key, added = _KEYS[table], _ADDED[table]
    changes = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in added)
    statement = _into(table, (*key, *added)) + f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    values = [
        dict(zip(key, place, strict=True)) | {name: sums[name] for name in added}
        for place, sums in sorted(found.items())
    ]
    connection.execute(text(statement), values)


def _into(table: str, columns: Iterable[str]) -> str:
    names = list(columns)
    values = ", ".join(f":{name}" for name in names)
    return "INSERT INTO " + table + " (" + ", ".join(names) + ") VALUES (" + values + ") "  # noqa: S608 - names of the schema
