from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import budgets, keys, organisation
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.keys import NewKey
from clavero.control.organisation import Contact
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.budgets import Subject, Window
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, NotFound


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        await perform(opened, SYSTEM, organisation.add_team, name="support")
        await perform(opened, SYSTEM, organisation.add_project, name="helpdesk", team="support")
        await perform(opened, SYSTEM, organisation.add_service, name="chat", project="helpdesk")
        await perform(opened, SYSTEM, organisation.add_environment, name="prod")
        yield opened


async def key(desk: Desk) -> None:
    await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-chat-01", owner="asha"))


async def test_the_tree_says_where_everything_belongs(desk: Desk) -> None:
    tree = await organisation.tree(desk)
    assert [(team.name, team.created_ns > 0) for team in tree.teams] == [("support", True)]
    assert [(one.name, one.project, one.team) for one in tree.services] == [("chat", "helpdesk", "support")]
    assert [(one.name, one.team) for one in tree.projects] == [("helpdesk", "support")]
    assert [one.name for one in tree.environments] == ["prod"]


async def test_a_service_goes_with_its_project_to_another_team(desk: Desk) -> None:
    await perform(desk, SYSTEM, organisation.add_team, name="growth")
    await perform(desk, SYSTEM, organisation.move_project, name="helpdesk", team="growth")
    assert (await organisation.tree(desk)).services[0].team == "growth"
    await perform(desk, SYSTEM, organisation.add_project, name="other", team="support")
    moved = await perform(desk, SYSTEM, organisation.update_service, name="chat", project="other")
    assert (moved.project, moved.team) == ("other", "support")


async def test_a_service_says_where_its_code_is_and_who_is_on_call(desk: Desk) -> None:
    contact = Contact(repository="github.com/acme/chat", on_call="#chat-oncall")
    made = await perform(desk, SYSTEM, organisation.update_service, name="chat", contact=contact)
    assert (made.repository, made.on_call, made.project) == ("github.com/acme/chat", "#chat-oncall", "helpdesk")
    made = await perform(desk, SYSTEM, organisation.update_service, name="chat", contact=Contact(on_call=""))
    assert (made.repository, made.on_call) == ("github.com/acme/chat", "")
    for wrong in (Contact(repository="a\nb"), Contact(on_call="x" * 201), Contact(on_call="sk-" + "a" * 40)):
        with pytest.raises(InvalidValue):
            await perform(desk, SYSTEM, organisation.update_service, name="chat", contact=wrong)


async def test_the_audit_row_names_what_the_operation_is_about(desk: Desk) -> None:
    await perform(desk, SYSTEM, organisation.move_project, name="helpdesk", team="support", reason="tidy")
    async with desk.store.read() as look:
        row = (await look.find(AuditRow))[-1]
    assert (row.action, row.object_kind, row.object_id, row.reason) == ("project.update", "project", "helpdesk", "tidy")


Work = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (organisation.remove_team, "support"),
        (organisation.remove_project, "helpdesk"),
        (organisation.remove_service, "chat"),
        (organisation.remove_environment, "prod"),
    ],
)
async def test_what_something_stands_on_is_not_removed(desk: Desk, work: Work, name: str) -> None:
    await key(desk)
    with pytest.raises(InUse):
        await perform(desk, SYSTEM, work, name=name)


async def test_what_has_a_budget_is_not_removed(desk: Desk) -> None:
    for subject, name in ((Subject.SERVICE, "chat"), (Subject.ENVIRONMENT, "prod")):
        wanted = NewBudget(subject=subject, name=name, window=Window.DAY, limit_n=1)
        await perform(desk, SYSTEM, budgets.set_budget, wanted=wanted)
    with pytest.raises(InUse, match="budget service/chat:day"):
        await perform(desk, SYSTEM, organisation.remove_service, name="chat")
    await perform(desk, SYSTEM, budgets.delete_budget, budget="service/chat:day")
    await perform(desk, SYSTEM, organisation.remove_service, name="chat")


async def test_with_its_keys_revoked_everything_can_be_removed_from_the_leaves_up(desk: Desk) -> None:
    await key(desk)
    await perform(desk, SYSTEM, keys.revoke, name="prod-chat-01")
    await perform(desk, SYSTEM, organisation.remove_service, name="chat")
    await perform(desk, SYSTEM, organisation.remove_environment, name="prod")
    await perform(desk, SYSTEM, organisation.remove_project, name="helpdesk")
    await perform(desk, SYSTEM, organisation.remove_team, name="support")
    assert await organisation.tree(desk) == organisation.Tree([], [], [], [])


@pytest.mark.parametrize("name", ["", "Support", "a b", "../x", "x" * 64, "sk-" + "a" * 40, "naïve", "a\x00b"])
async def test_names_keep_their_rule(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidValue):
        await perform(desk, SYSTEM, organisation.add_team, name=name)
    with pytest.raises(InvalidValue):
        await perform(desk, SYSTEM, organisation.add_environment, name=name)


async def test_a_name_is_given_once(desk: Desk) -> None:
    with pytest.raises(AlreadyExists):
        await perform(desk, SYSTEM, organisation.add_team, name="support")
    with pytest.raises(AlreadyExists):
        await perform(desk, SYSTEM, organisation.add_environment, name="prod")


async def test_a_home_that_does_not_exist_is_not_found_with_the_nearest(desk: Desk) -> None:
    with pytest.raises(NotFound) as caught:
        await perform(desk, SYSTEM, organisation.add_project, name="x", team="suport")
    assert caught.value.suggestion == "support"
