"""The grounds of small worlds: what time it is there, the test says, and each world begins empty."""

import contextlib
from pathlib import Path

import pytest
from tests.property.places import server

from clavero.testing.grounds import Ground, SqliteGround


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    return SqliteGround(tmp_path) if request.param == "sqlite" else server().again()


def test_time_stands_until_the_test_lets_it_pass(ground: Ground) -> None:
    with contextlib.closing(ground.ledger.books()) as books:
        before, _ = books.boots()
        assert books.boots()[0] == before
        ground.clock.advance(2.5)
        assert books.boots()[0] - before == 2_500_000_000
    ground.close()


def test_a_world_begins_empty(ground: Ground) -> None:
    with contextlib.closing(ground.ledger.books()) as books:
        assert books.boots()[1] == []
    ground.close()
