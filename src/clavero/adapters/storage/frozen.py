"""Each version of the schema as the first start of that version makes it, kept as SQL for both databases.

A backup of an old version is brought back with the old schema and then migrated; and a test that compares the newest
file with the tables notices a change that nobody gave a number.
"""

from collections.abc import Iterator
from importlib import resources
from typing import Any

from sqlalchemy import Connection, create_mock_engine, make_url

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.tables import METADATA
from clavero.adapters.storage.version import SCHEMA_VERSION

_DRIVERS = {Dialect.SQLITE: "sqlite://", Dialect.POSTGRESQL: "postgresql+psycopg://"}
_END = ";\n"


def make_version(connection: Connection, dialect: Dialect, version: int) -> None:
    """Make every table of a version in an empty database; `FileNotFoundError` where it was never kept."""
    for statement in frozen(dialect, version).split(_END):
        if statement.strip():
            connection.exec_driver_sql(statement)


def frozen(dialect: Dialect, version: int) -> str:
    """The statements that make a version."""
    return resources.files("clavero.adapters.storage.migrations").joinpath("schema", name(dialect, version)).read_text()


def name(dialect: Dialect, version: int = SCHEMA_VERSION) -> str:
    """What the file of a version is called."""
    return f"{version:04d}.{dialect.value}.sql"


def written(dialect: Dialect) -> str:
    """The statements that make the tables as they are in the code now."""
    return "".join(_statements(dialect))


def _statements(dialect: Dialect) -> Iterator[str]:
    made: list[str] = []

    def keep(statement: Any, *_: object, **__: object) -> None:
        made.append(str(statement.compile(dialect=engine.dialect)).strip())

    engine = create_mock_engine(make_url(_DRIVERS[dialect]), keep)
    for metadata in (METADATA, LEDGER_METADATA):
        metadata.create_all(engine, checkfirst=False)
    tables = [statement for statement in made if statement.startswith("CREATE TABLE")]
    indexes = sorted(statement for statement in made if statement not in tables)  # SQLAlchemy keeps them in a set
    for statement in [*tables, *indexes]:
        yield "\n".join(line.rstrip() for line in statement.replace("\t", "    ").splitlines()) + _END
