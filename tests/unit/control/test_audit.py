from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import audit, organisation
from clavero.control.commit import Desk, perform
from clavero.domain.access import SYSTEM, Actor, Role


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        for number in range(5):
            await perform(opened, SYSTEM, organisation.add_team, name=f"team-{number}", reason="because")
        yield opened


async def test_the_newest_rows_come_first(desk: Desk) -> None:
    rows = await audit.newest(desk, 2)
    assert [(row.seq, row.action, row.object_id, row.reason) for row in rows] == [
        (5, "team.add", "team-4", "because"), (4, "team.add", "team-3", "because"),
    ]  # fmt: skip
    assert await audit.newest(desk, -1) == []


async def test_pages_go_on_where_the_one_before_ended(desk: Desk) -> None:
    assert [row.seq for row in await audit.page(desk, 0, 2)] == [1, 2]
    assert [row.seq for row in await audit.page(desk, 2, 1000)] == [3, 4, 5]
    assert await audit.page(desk, 5, 2) == []


async def test_who_reads_is_kept_once_an_hour_for_each_way(desk: Desk) -> None:
    asha = Actor(id="asha", kind="user")
    for _ in range(3):
        await audit.note_reading(desk, asha, "list")
    await audit.note_reading(desk, asha, "export")
    await audit.note_reading(desk, SYSTEM, "list")
    rows = await audit.newest(desk, 3)
    assert [(row.actor, row.action, row.object_id) for row in rows[:2]] == [
        ("asha", "audit.read", "export"), ("asha", "audit.read", "list"),
    ]  # fmt: skip
    assert rows[2].action == "team.add"


async def test_an_auditor_reads_and_is_kept(desk: Desk) -> None:
    await audit.note_reading(desk, Actor(id="ana", kind="user", role=Role.AUDITOR), "list")
    assert (await audit.newest(desk, 1))[0].actor == "ana"
