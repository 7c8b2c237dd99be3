"""Each version of the schema is kept as it is first made."""

from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import KINDS, empty

from clavero.adapters.storage.frozen import frozen, make_version, written
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.schema import prepare
from clavero.adapters.storage.shape import differences, shape
from clavero.adapters.storage.version import SCHEMA_VERSION

HOW = """the tables have changed: docs/how-to/add-a-migration.md
(raise SCHEMA_VERSION, add a script to adapters/storage/migrations, run scripts/freeze_schema.py)"""


@pytest.mark.parametrize("dialect", list(Dialect), ids=lambda dialect: dialect.value)
def test_a_change_of_the_tables_has_a_number_of_its_own(dialect: Dialect) -> None:
    assert frozen(dialect, SCHEMA_VERSION) == written(dialect), HOW


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_makes_what_a_first_start_makes(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else ""
    base = empty(kind, tmp_path, url)
    with base.engine.begin() as connection:
        prepare(connection, base.dialect)
        fresh = shape(connection, base.dialect)
    (tmp_path / "other").mkdir()
    base = empty(kind, tmp_path / "other", url)
    with base.engine.begin() as connection:
        make_version(connection, base.dialect, SCHEMA_VERSION)
        assert differences(fresh, shape(connection, base.dialect)) == []


def test_a_version_that_was_never_kept_is_no_guess() -> None:
    with pytest.raises(FileNotFoundError):
        frozen(Dialect.SQLITE, 9999)
