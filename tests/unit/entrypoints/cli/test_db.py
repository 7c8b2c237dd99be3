import json
from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import NEXT, with_things

from clavero.adapters.storage.engines import sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.migrate import Migrations
from clavero.bootstrap import migration
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.cli import db
from clavero.entrypoints.cli.options import Common
from clavero.entrypoints.premises import Premises


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Common:
    """A data directory whose database a later release could migrate."""
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(migration, "Migrations", lambda: Migrations(NEXT))
    data = tmp_path / "data"
    data.mkdir()
    with sqlite_engine(data / "clavero.db").begin() as connection:
        with_things(connection, Dialect.SQLITE)
    return Common(data_dir=data)


def test_a_plan_ends_8_while_steps_are_left_and_0_afterwards(
    common: Common, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db.migrate(plan=True, common=common) == Exit.PLAN_DIFFERS
    assert "schema 3: Things have a colour." in capsys.readouterr().out
    assert db.migrate(common=common) == Exit.DONE
    told = capsys.readouterr().err
    assert "schema 2: Names in capitals." in told
    assert "schema 3 is done." in told
    assert db.migrate(plan=True, common=common) == Exit.DONE


def test_what_was_done_is_told_to_programs(common: Common, capsys: pytest.CaptureFixture[str]) -> None:
    assert common.data_dir is not None
    assert db.migrate(common=Common(json=True, data_dir=common.data_dir)) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert [step["version"] for step in told["steps"]] == [2, 3]
    assert told["done"] is True


def test_a_database_that_is_in_use_is_not_migrated(common: Common) -> None:
    assert common.data_dir is not None
    with Premises(common.data_dir), pytest.raises(StartFailure) as caught:
        db.migrate(common=common)
    assert caught.value.exit_code is Exit.ALREADY_RUNNING
    assert "pid" in caught.value.message
