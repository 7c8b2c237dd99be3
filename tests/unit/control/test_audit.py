from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.unit.control.desk import open_desk

from clavero.adapters.storage.store import SqlStore
from clavero.control import audit, organisation
from clavero.control.audit import Proof
from clavero.control.commit import Desk, perform
from clavero.domain.access import SYSTEM


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        for number in range(5):
            await perform(opened, SYSTEM, organisation.add_team, name=f"team-{number}", reason="because")
        yield opened


async def spoil(desk: Desk, statement: str) -> None:
    assert isinstance(desk.store, SqlStore)
    async with desk.store._engine.begin() as connection:
        await connection.execute(text(statement))


async def test_an_untouched_trail_is_proved_row_by_row(desk: Desk) -> None:
    assert await audit.verify(desk) == Proof(5, None)


async def test_a_trail_of_many_pages_is_walked_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 2)  # a thousand rows a page would make a slow test
    assert await audit.verify(desk) == Proof(5, None)
    await spoil(desk, "UPDATE audit SET actor = 'eve' WHERE seq = 4")
    assert (await audit.verify(desk)).first_bad == 4


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 3", 3),
        ("UPDATE audit SET reason = '' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET hash = 'x' WHERE seq = 5", 5),
        ("UPDATE audit SET at_ns = at_ns + 1 WHERE seq = 2", 2),
    ],
)
async def test_the_first_bad_row_is_named(desk: Desk, statement: str, bad: int) -> None:
    await spoil(desk, statement)
    assert (await audit.verify(desk)).first_bad == bad


async def test_the_newest_rows_come_first(desk: Desk) -> None:
    rows = await audit.newest(desk, 2)
    assert [(row.seq, row.action, row.object_id, row.reason) for row in rows] == [
        (5, "team.add", "team-4", "because"), (4, "team.add", "team-3", "because"),
    ]  # fmt: skip
    assert await audit.newest(desk, -1) == []
