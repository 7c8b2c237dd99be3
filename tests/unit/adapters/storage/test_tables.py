import pytest
from sqlalchemy import Dialect, Table, make_url
from sqlalchemy.schema import CreateTable

from clavero.adapters.storage.tables import CHANGE_LOG, TABLES
from clavero.domain.budgets import Budget
from clavero.domain.credentials import Credential, Provider

POSTGRES: Dialect = make_url("postgresql+psycopg://").get_dialect()()
SQLITE: Dialect = make_url("sqlite://").get_dialect()()


def _sql(table: Table, dialect: Dialect) -> str:
    return str(CreateTable(table).compile(dialect=dialect))


def test_money_and_time_are_64_bits_wide_on_a_server() -> None:
    sql = _sql(TABLES[Budget], POSTGRES)
    assert "limit_n BIGINT NOT NULL" in sql
    assert '"window" TEXT NOT NULL' in sql


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES])
def test_sealed_bytes_and_truth_have_columns_of_their_kind(dialect: Dialect) -> None:
    credential, provider = _sql(TABLES[Credential], dialect), _sql(TABLES[Provider], dialect)
    assert "sealed BLOB" in credential or "sealed BYTEA" in credential
    assert "enabled BOOLEAN NOT NULL" in provider


def test_a_number_of_the_change_log_is_never_given_twice() -> None:
    assert "AUTOINCREMENT" in _sql(CHANGE_LOG, SQLITE)
    assert "BIGSERIAL" in _sql(CHANGE_LOG, POSTGRES)
