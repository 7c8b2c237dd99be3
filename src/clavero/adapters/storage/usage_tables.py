"""The tables of usage: one row for each leg of a request, the groups that rows are told by, and their roll-ups.

A row names its group by number: a distinct combination of names and outcome is written once, not ten million times.
Roll-ups are written in the transaction of their rows, so they say at every commit what the rows say, and what a report
reads is bounded by groups and days, never by requests. On PostgreSQL rows lie in a partition for each UTC day.
"""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.types import TypeEngine

from clavero.adapters.storage.usage_sql import NAMES, SUMS

_number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers its rows only for INTEGER
# Ids are searched by their beginning, which needs the order of their bytes.
_identity: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")


def usage_tables(metadata: MetaData) -> None:
    """Add them to the schema."""
    Table(
        "usage_group",
        metadata,
        Column("id", _number, Identity(), primary_key=True, autoincrement=True),
        Column("digest", Text, nullable=False, unique=True),  # of the members: their texts together may be long
        *_words(*NAMES),
        *_amounts("status"),
        *_words("code"),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    Table(
        "usage_key", metadata, Column("key_id", Text, primary_key=True), *_amounts("last_ns"), sqlite_with_rowid=False
    )
    _rows(metadata)
    for name, unit in (("usage_hour", "hour"), ("usage_day", "day")):
        Table(
            name,
            metadata,
            Column(unit, Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
            Column("group_id", BigInteger, primary_key=True, autoincrement=False),
            *_amounts(*SUMS),
            sqlite_with_rowid=False,
        )
    Table(
        "usage_minute",
        metadata,
        Column("minute", Integer, primary_key=True, autoincrement=False),
        Column("status", BigInteger, primary_key=True, autoincrement=False),
        Column("code", Text, primary_key=True),
        *_amounts("calls", "cost_n"),
        sqlite_with_rowid=False,
    )
    Table(
        "usage_charge",
        metadata,
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("budget_id", Text, primary_key=True),
        Column("period_start", BigInteger, primary_key=True, autoincrement=False),
        *_amounts("charged_n", "first_n"),  # of all requests, and of those that name this budget first
        sqlite_with_rowid=False,
    )


def _rows(metadata: MetaData) -> None:
    Table(
        "usage",
        metadata,
        Column("day", Integer, primary_key=True, autoincrement=False),  # UTC days since 1970
        Column("hold_id", _identity, primary_key=True),  # the request's id, alone or with a dot and a number
        Column("request_id", Text, nullable=False),
        Column("at_ns", BigInteger, nullable=False),
        Column("group_id", BigInteger, nullable=False),
        Column("key_version", BigInteger, nullable=False),
        *_words("asked"),  # the model's name as it was asked for, where no target was found for it
        *_amounts("input", "cached", "cache_write", "output", "reasoning", "cost_n"),
        *_words("price_version"),
        Column("attempts", Text, nullable=False),  # JSON
        *_amounts("first_token_us", "total_us", "overhead_us"),
        *_words("outcome"),
        *[Column(name, Boolean, nullable=False) for name in ("streamed", "estimated", "final")],
        *_words("client_request_id", "peer"),
        *_amounts("output_cap", "held_n"),
        Column("amounts", Text, nullable=False),  # JSON [[budget, period, charge]]
        *_words("flag"),
        Column("boot_id", Text, nullable=False),
        Index("usage_time", "at_ns", "group_id"),
        postgresql_partition_by="RANGE (day)",
    )


def _amounts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False, server_default=text("0")) for name in names]


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False, server_default=text("''")) for name in names]
