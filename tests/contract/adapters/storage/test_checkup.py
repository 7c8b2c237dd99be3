"""What was spoilt is found, by the check that is meant for it and on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, Base, empty
from tests.contract.adapters.storage.test_restore import base_of, quiet

from clavero.adapters.storage import checkup
from clavero.adapters.storage.engines import looking
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.schema import prepare

CHARGE = """INSERT INTO usage_charge (day, budget_id, period_start, charged_n, first_n)
    VALUES (1, 'b', 86400000000000, 10, 10), (2, 'b', 86400000000000, 20, 0)"""
ROW = "INSERT INTO ledger (budget_id, period_start, limit_n, posted, leased) VALUES ('b', 86400000000000, 100, 30, 20)"
LEASE = (
    "INSERT INTO lease (boot_id, budget_id, period_start, granted, posted) VALUES ('x', 'b', 86400000000000, 50, 30)"
)


@pytest.fixture(params=KINDS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """A fresh database whose one budget has 30 posted and 20 leased."""
    made = empty(request.param, tmp_path, request.getfixturevalue("postgres_url") if request.param != "sqlite" else "")
    with made.engine.begin() as connection:
        prepare(connection, made.dialect)
        for statement in (CHARGE, ROW, LEASE):
            connection.execute(text(statement))
    return made


def told(base: Base) -> list[str]:
    with looking(base.engine) as connection:
        return list(checkup.ledger(connection))


def test_sums_that_agree_are_not_told(base: Base) -> None:
    assert told(base) == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("UPDATE ledger SET leased = 21", "leased 21, shares 20"),
        ("UPDATE ledger SET lost = 5", "lost 5, of leases 0"),
        ("UPDATE ledger SET posted = 31", "posted 31, usage 30"),
        ("DELETE FROM lease", "leased 20, shares 0"),
        ("UPDATE usage_charge SET charged_n = 19 WHERE day = 2", "posted 30, usage 29"),
    ],
)
def test_a_sum_that_does_not_agree_is_told_with_both_sides(base: Base, spoil: str, says: str) -> None:
    with base.engine.begin() as connection:
        connection.execute(text(spoil))
    [line] = told(base)
    assert line == f"b of 86400000000000: {says}"


def test_usage_that_was_put_away_by_age_is_no_error_but_too_much_usage_is(base: Base) -> None:
    with base.engine.begin() as connection:
        connection.execute(text("DELETE FROM usage_charge WHERE day = 1"))
    assert told(base) == []
    with base.engine.begin() as connection:
        connection.execute(text("UPDATE ledger SET posted = 19"))
    assert told(base) == ["b of 86400000000000: posted 19, usage 20"]


def test_the_first_bad_row_of_the_audit_is_named(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = base_of("sqlite", tmp_path, request)
    with looking(made.engine) as connection:
        rows, bad = checkup.audit(connection, quiet)
    assert (rows, bad) == (14, 0)
    with made.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 6"))
    with looking(made.engine) as connection:
        assert checkup.audit(connection, quiet)[1] == 6


def test_a_schema_is_compared_without_leaving_anything_behind(base: Base) -> None:
    tables = base.tables()
    assert checkup.schema_differences(base.engine, base.dialect) == []
    with base.engine.begin() as connection:
        connection.execute(text("ALTER TABLE team ADD COLUMN colour TEXT"))
    assert any("colour" in line for line in checkup.schema_differences(base.engine, base.dialect))
    assert base.tables() == tables
    with base.engine.begin() as connection:
        if base.dialect is Dialect.POSTGRESQL:
            found = connection.execute(
                text("SELECT count(*) FROM pg_namespace WHERE nspname = 'clavero_check'")
            ).scalar()
            assert found == 0


@pytest.mark.parametrize("deep", [False, True])
def test_whole_pages_are_not_told(base: Base, *, deep: bool) -> None:
    with looking(base.engine) as connection:
        assert checkup.pages(connection, base.dialect, deep=deep) == []
