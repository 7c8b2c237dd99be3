from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control.commit import Changing, operation, perform
from clavero.control.find import named, nearest
from clavero.domain.access import SYSTEM
from clavero.domain.organisation import Team
from clavero.domain.refusals import NotFound


@operation("test.team")
async def team(change: Changing, *, name: str) -> None:
    await change.put(Team(name=name))


async def test_what_is_not_there_comes_with_what_was_meant(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, team, name="support")
        async with desk.store.read() as look:
            assert (await named(look, Team, "support")).name == "support"
            with pytest.raises(NotFound) as caught:
                await named(look, Team, "suport")
            assert caught.value.suggestion == "support"
            assert caught.value.message == "There is no team suport"


def test_nothing_is_near_to_everything() -> None:
    assert nearest("prod-mail-1", ["prod-mail-01", "dev-x-01"]) == "prod-mail-01"
    assert nearest("zzz", ["prod-mail-01"]) == ""
    assert nearest("x" * 10_000, ["x" * 80]) == "x" * 80
