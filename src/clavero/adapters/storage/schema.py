"""The first start makes the whole schema at once; every other start checks that it is the one this version knows."""

import secrets

from msgspec import Struct
from sqlalchemy import Connection, insert, inspect, select, text

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.tables import META, METADATA
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.domain.startup import StartFailure

MIGRATE = "clavero db migrate"
_LOCK = 0x636C6176  # "clav": whoever makes or changes the schema lets the others wait
_SHOWN = 3


class Stamp(Struct, frozen=True):
    """What a database says of itself: its version, the one it is on its way to (0: none), and how far it is."""

    version: int
    towards: int = 0
    marker: str = ""


def prepare(connection: Connection, dialect: Dialect) -> None:
    """Make or check the schema within one transaction; `StartFailure` where it is not ours to use."""
    wait_for_turn(connection, dialect)
    stamp = read_stamp(connection)
    if stamp is not None:
        check(stamp)
        return
    METADATA.create_all(connection)
    LEDGER_METADATA.create_all(connection)
    stamp_first(connection)


def wait_for_turn(connection: Connection, dialect: Dialect) -> None:
    """Let whoever makes or changes the schema finish; SQLite's write transaction is turn enough."""
    if dialect is Dialect.POSTGRESQL:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def stamp_first(connection: Connection, version: int = SCHEMA_VERSION) -> None:
    """Name a database that was just made."""
    first = {"schema": str(version), "instance": secrets.token_hex(16), "epoch": "1"}
    connection.execute(insert(META), [{"name": name, "value": value} for name, value in first.items()])


def read_stamp(connection: Connection) -> Stamp | None:
    """What an existing schema says of itself; None in an empty database, `StartFailure` in somebody else's."""
    tables = inspect(connection).get_table_names()
    if META.name not in tables:
        if tables:
            raise _foreign(f"its tables are not clavero's ({_listed(tables)})")
        return None
    if {column["name"] for column in inspect(connection).get_columns(META.name)} != {"name", "value"}:
        raise _foreign("its table meta is not clavero's")
    rows = connection.execute(select(META.c.name, META.c.value).where(META.c.name.in_(_NAMES)))
    found: dict[str, str] = {str(name): str(value) for name, value in rows}
    version = _number(found.get("schema", ""))
    if not version:
        raise _foreign("its schema has no number that clavero gives")
    return Stamp(version, _number(found.get("migrating", "")), found.get("migrating_at", ""))


_NAMES = ("schema", "migrating", "migrating_at")


def check(stamp: Stamp) -> None:
    """Refuse a schema that this version does not know: newer, older, or on its way from one to the other."""
    newest = max(stamp.version, stamp.towards)
    if newest > SCHEMA_VERSION:
        raise newer(newest)
    if stamp.towards:
        message = f"the migration of the database to schema {stamp.towards} has not ended"
        raise StartFailure("database_half_migrated", message, MIGRATE)
    if stamp.version < SCHEMA_VERSION:
        message = f"database schema {stamp.version}, this clavero needs {SCHEMA_VERSION}"
        raise StartFailure("database_older", message, MIGRATE)


def newer(found: int, known: int = SCHEMA_VERSION) -> StartFailure:
    """A later clavero has been here; this one changes nothing."""
    message = f"database schema {found}, this clavero knows {known}"
    return StartFailure("database_newer", message, "install a later clavero. Nothing was changed.")


def _foreign(why: str) -> StartFailure:
    fix = "DATABASE_URL of an empty database (createdb clavero), or another --data-dir. Nothing was changed."
    return StartFailure("database_foreign", f"the database is somebody else's: {why}", fix)


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 9 else 0


def _listed(tables: list[str]) -> str:
    names = sorted(tables)
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
