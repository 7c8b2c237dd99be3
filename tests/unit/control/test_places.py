from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control.commit import Changing, operation, perform
from clavero.control.places import Place, check, settle
from clavero.domain.access import SYSTEM
from clavero.domain.organisation import Environment, Project, Service, Team
from clavero.domain.refusals import InvalidValue


@operation("test.settle")
async def settling(change: Changing, *, place: Place) -> Service:
    return await settle(change, check(place))


async def test_a_place_is_made_once_and_found_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        place = Place(environment="prod", service="mail", team="care", project="shop")
        made = await perform(desk, SYSTEM, settling, place=place)
        again = await perform(desk, SYSTEM, settling, place=Place(environment="prod", service="mail"))
        assert made == again
        async with desk.store.read() as look:
            counts = [len(await look.find(kind)) for kind in (Environment, Project, Service, Team)]
        assert counts == [1, 1, 1, 1]


async def test_a_new_service_joins_the_team_of_its_project(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, settling, place=Place(environment="prod", service="a", team="care", project="shop"))
        service = await perform(desk, SYSTEM, settling, place=Place(environment="dev", service="b", project="shop"))
        assert service.team == "care"


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("environment", Place(environment="", service="a")),
        ("environment", Place(environment="production", service="a")),
        ("service", Place(environment="prod", service="")),
        ("service", Place(environment="prod", service="a:b")),
        ("project", Place(environment="prod", service="a", project="A")),
    ],
)
def test_a_place_whose_names_cannot_be_used_is_refused(field: str, place: Place) -> None:
    with pytest.raises(InvalidValue) as caught:
        check(place)
    assert caught.value.field == field
