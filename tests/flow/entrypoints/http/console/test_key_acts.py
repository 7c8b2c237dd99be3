import pytest
from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.control.budgets import list_budgets
from clavero.control.keys import show_key
from clavero.domain.audit import AuditRow
from clavero.domain.keys import KeyState

NAME = "prod-support-chat-01"


async def state(visitor: Visitor) -> KeyState:
    return (await show_key(visitor.house.desk, NAME)).state


async def test_rotating_makes_a_version_and_shows_its_secret(visitor: Visitor) -> None:
    answer = await visitor.send(f"/keys/{NAME}/rotate", grace="1h", reason="monthly")
    assert "Store this key now" in answer.text
    key = await show_key(visitor.house.desk, NAME)
    assert [one.number for one in key.versions] == [1, 2]
    assert key.state is KeyState.ROTATING


@pytest.mark.parametrize("grace", ["", "soon", "1000d"])
async def test_a_grace_that_is_none_is_said_beside_its_field(visitor: Visitor, grace: str) -> None:
    answer = await visitor.send(f"/keys/{NAME}/rotate", grace=grace)
    assert answer.status_code == 422
    assert "From 0 to 90 days." in answer.text
    assert len((await show_key(visitor.house.desk, NAME)).versions) == 1


async def test_disable_and_enable_lead_back_to_the_key(visitor: Visitor) -> None:
    answer = await visitor.send(f"/keys/{NAME}/disable", reason="looking into it")
    assert answer.headers["location"] == f"/keys/{NAME}?done=disabled"
    assert await state(visitor) is KeyState.DISABLED
    assert "looking into it" in await visitor.page(f"/keys/{NAME}")
    await visitor.send(f"/keys/{NAME}/enable")
    assert await state(visitor) is KeyState.ACTIVE
    answer = await visitor.send(f"/keys/{NAME}/enable")
    assert answer.status_code == 422
    assert "cannot be enabled" in words(answer.text)


@pytest.mark.parametrize("typed", ["", "prod-support-chat-1", NAME.upper(), f"{NAME}x"])
async def test_revoking_wants_the_exact_name(visitor: Visitor, typed: str) -> None:
    answer = await visitor.send(f"/keys/{NAME}/revoke", typed=typed, reason="leak")
    assert answer.status_code == 422
    assert "Type the name exactly." in answer.text
    assert 'value="leak"' in answer.text
    assert await state(visitor) is KeyState.ACTIVE


async def test_revoking_wants_a_reason_and_the_audit_keeps_it(visitor: Visitor) -> None:
    assert (await visitor.send(f"/keys/{NAME}/revoke", typed=NAME)).status_code == 422
    answer = await visitor.send(f"/keys/{NAME}/revoke", typed=NAME, reason="found in a commit")
    assert answer.headers["location"] == f"/keys/{NAME}?done=revoked"
    assert await state(visitor) is KeyState.REVOKED
    async with visitor.house.store.read() as look:
        (row,) = [row for row in await look.find(AuditRow) if row.action == "key.revoke"]
    assert (row.actor, row.reason, row.level) == ("owner", "found in a commit", "link")
    assert (await visitor.send(f"/keys/{NAME}/rotate", grace="24h")).status_code == 422


async def test_before_a_key_ends_the_page_says_who_calls_with_it(visitor: Visitor) -> None:
    page = words(await visitor.page(f"/keys/{NAME}/revoke"))
    assert "calls in the last hour, from 10.20.4." in page
    assert "cannot be undone" in page
    assert "key_revoked" in page
    page = words(await visitor.page("/keys/staging-docs-helper-01/disable"))
    assert "it was never used" in page


async def test_a_dialog_holds_the_question_alone(visitor: Visitor) -> None:
    part = await visitor.page(f"/keys/{NAME}/revoke?part=1")
    assert "<html" not in part
    assert 'data-expected="prod-support-chat-01"' in part


async def test_a_budget_is_set_and_changed(visitor: Visitor) -> None:
    for limit in ("7", "8.50"):
        answer = await visitor.send(f"/keys/{NAME}/budget", limit=limit, window="week")
        assert answer.headers["location"] == f"/keys/{NAME}?done=budget"
    found = [
        one.budget.limit_n for one in await list_budgets(visitor.house.desk, name=NAME) if one.budget.window == "week"
    ]
    assert found == [8_500_000_000]
    refused = await visitor.send(f"/keys/{NAME}/budget", limit="lots", window="week")
    assert refused.status_code == 422
    assert "An amount in US dollars" in refused.text
