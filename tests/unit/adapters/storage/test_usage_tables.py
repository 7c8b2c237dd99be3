"""The tables of usage say by themselves what belongs together."""

from sqlalchemy import MetaData

from clavero.adapters.storage.usage_sql import GROUP, SUMS
from clavero.adapters.storage.usage_tables import usage_tables
from clavero.domain.usage import Exchange, Tokens


def test_groups_are_made_of_what_an_exchange_is_told_by_and_of_no_id() -> None:
    assert set(GROUP) < set(Exchange.__struct_fields__)
    assert not {"request_id", "client_request_id", "peer", "price_version"} & set(GROUP)


def test_every_kind_of_token_is_summed_and_every_sum_has_its_column() -> None:
    metadata = MetaData()
    usage_tables(metadata)
    assert set(Tokens.__struct_fields__) < set(SUMS)
    for table in ("usage_hour", "usage_day"):
        assert {column.name for column in metadata.tables[table].columns if not column.primary_key} == set(SUMS)


def test_a_row_lies_in_the_partition_of_its_day() -> None:
    metadata = MetaData()
    usage_tables(metadata)
    rows = metadata.tables["usage"]
    assert rows.dialect_options["postgresql"]["partition_by"] == "RANGE (day)"
    assert [column.name for column in rows.primary_key] == ["day", "hold_id"]
