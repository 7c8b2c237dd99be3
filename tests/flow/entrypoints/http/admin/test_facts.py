import pytest
from tests.flow.entrypoints.http.admin.office import Office

from clavero.control.organisation import add_team
from clavero.domain.access import Actor, Role
from clavero.domain.refusals import Forbidden
from clavero.entrypoints.http.admin.facts import Caller


def caller(office: Office, role: Role) -> Caller:
    return Caller(Actor(id="token x", role=role), "en", office.app.state.office)


async def test_a_change_is_made_as_who_asks(office: Office) -> None:
    asking = caller(office, Role.OWNER)
    assert (await asking.do(add_team, name="support")).created_ns <= asking.now_ns
    assert (await office.ask("GET", "/audit?limit=1"))["rows"][0]["actor"] == "token x"


async def test_the_permission_is_checked_where_the_change_is_made(office: Office) -> None:
    with pytest.raises(Forbidden):
        await caller(office, Role.AUDITOR).do(add_team, name="support")
    assert (await office.ask("GET", "/teams"))["teams"] == []


async def test_the_facts_are_those_of_the_start(office: Office) -> None:
    assert caller(office, Role.OWNER).facts.hosts == {"127.0.0.1", "localhost", "[::1]"}
    assert caller(office, Role.OWNER).desk is office.desk
