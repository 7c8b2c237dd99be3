"""The first start makes the whole schema at once; every other start checks that it is the one this version knows."""

import secrets

from sqlalchemy import Connection, insert, inspect, select, text

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.tables import META, METADATA, SCHEMA_VERSION
from clavero.domain.startup import StartFailure

_LOCK = 0x636C6176  # "clav": whoever makes the schema first lets the others wait


def prepare(connection: Connection, dialect: Dialect) -> None:
    """Make or check the schema within one transaction; `StartFailure` where it is not ours to use."""
    if dialect is Dialect.POSTGRESQL:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if inspect(connection).has_table(META.name):
        _check(_version(connection))
        return
    METADATA.create_all(connection)
    LEDGER_METADATA.create_all(connection)
    first = {"schema": str(SCHEMA_VERSION), "instance": secrets.token_hex(16), "epoch": "1"}
    connection.execute(insert(META), [{"name": name, "value": value} for name, value in first.items()])


def _version(connection: Connection) -> int:
    found = connection.execute(select(META.c.value).where(META.c.name == "schema")).scalar()
    return int(found) if found is not None and found.isdecimal() else 0


def _check(found: int) -> None:
    if found > SCHEMA_VERSION:
        message = f"database schema {found}, this clavero knows {SCHEMA_VERSION}"
        raise StartFailure("database_newer", message, "install a later clavero. Nothing was changed.")
    if found < SCHEMA_VERSION:
        message = f"database schema {found}, this clavero needs {SCHEMA_VERSION}"
        raise StartFailure("database_older", message, "start it with the clavero that made it. Nothing was changed.")
