"""The schema of the control plane, as SQLAlchemy tables: made whole at a first start, never by replaying migrations.

Whoever changes a table here or in `ledger_tables` adds a migration: docs/how-to/add-a-migration.md.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from clavero.adapters.storage.rows import REGISTRY, Stored

METADATA = MetaData()
_TYPES = {int: BigInteger, str: Text, bytes: LargeBinary, bool: Boolean}
_counted = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers its rows only for INTEGER


def _table(stored: Stored) -> Table:
    columns: list[Column[Any]] = [
        Column(column.name, _TYPES[column.kind], primary_key=column.name == stored.primary, nullable=False)
        for column in stored.columns
    ]
    return Table(stored.table, METADATA, *columns)


TABLES = {stored.type: _table(stored) for stored in REGISTRY}

META = Table("meta", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
CHANGE_LOG = Table(
    "change_log",
    METADATA,
    Column("seq", _counted, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice, even when the newest row was deleted
)

Index("virtual_key_name", METADATA.tables["virtual_key"].c.name, unique=True)
