import pytest
from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.control.budgets import list_budgets
from clavero.control.keys import show_key
from clavero.domain.budgets import Policy, Window
from clavero.domain.catalogue import Language
from clavero.domain.refusals import InvalidValue, NotFound
from clavero.entrypoints.http.console.key_forms import limit_of, window_of
from clavero.entrypoints.http.console.messages import LANGUAGES


async def test_a_key_is_made_as_the_form_says(visitor: Visitor) -> None:
    answer = await visitor.send(
        "/keys", name="prod-mail-triage-01", owner="asha", models="gpt-4o-mini, claude-*", limit="80.50", window="month",
        policy="clamp", expires="2099-01-31", **{"endpoint-chat": "1"},
    )  # fmt: skip
    assert answer.status_code == 200
    key = await show_key(visitor.house.desk, "prod-mail-triage-01")
    assert (key.owner, key.service, key.models, key.endpoints) == (
        "asha",
        "mail",
        ("gpt-4o-mini", "claude-*"),
        ("chat",),
    )
    assert key.expires_ns == 4_073_587_200 * 10**9  # the end of that day
    (budget,) = [one.budget for one in await list_budgets(visitor.house.desk) if one.name == key.name]
    assert (budget.limit_n, budget.window, budget.policy) == (80_500_000_000, Window.MONTH, Policy.CLAMP)


@pytest.mark.requirement(12)
async def test_the_secret_is_shown_whole_once_and_masked_in_its_forms(visitor: Visitor) -> None:
    answer = await visitor.send("/keys", name="prod-mail-triage-02", owner="asha")
    secret = answer.text.split('id="secret"')[1].split(">")[1].split("<")[0]
    assert answer.text.count(secret) == 1
    assert answer.headers["cache-control"] == "no-store"
    assert 'data-leave="/keys/prod-mail-triage-02"' in answer.text


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", "helpdesk triage", "Use a name such as dev-helpdesk-triage-01."),
        ("name", "prod-support-chat-01", "That name is taken."),
        ("owner", "", "Say who answers for the key"),
        ("models", "a b!", "Names of models"),
        ("limit", "ten", "An amount in US dollars"),
        ("expires", "2001-01-01", "A day to come."),
        ("expires", "soon", "A day to come."),
        ("team", "Not A Team", "A name of a-z"),
        ("window", "decade", "day, week, month or forever"),
        ("policy", "pray", "reject or clamp"),
    ],
)
async def test_a_refused_form_says_the_rule_and_keeps_what_was_typed(
    visitor: Visitor, field: str, value: str, rule: str
) -> None:
    form = {"name": "prod-fresh-one-01", "owner": "asha", "limit": "12.34", field: value}
    answer = await visitor.send("/keys", **form)
    assert answer.status_code == 422
    assert rule in words(answer.text)
    assert 'value="12.34"' in answer.text or field == "limit"
    with pytest.raises(NotFound):
        await show_key(visitor.house.desk, "prod-fresh-one-01")


@pytest.mark.requirement(4)
async def test_a_name_is_judged_while_it_is_typed(visitor: Visitor) -> None:
    refused = await visitor.page("/keys/new/name?name=prod%20support%20chat")
    assert 'data-value="prod-support-chat-02"' in refused
    assert "is free" in await visitor.page("/keys/new/name?name=prod-fresh-one-01")
    assert "env-service-purpose-nn" in await visitor.page("/keys/new/name?name=")


async def test_what_the_key_will_be_able_to_do_follows_the_form(visitor: Visitor) -> None:
    answer = await visitor.send("/keys/new/able", models="gpt-4o", limit="1,284.50", window="week")
    assert "1,284.50\u00a0USD · a week" in answer.text
    assert "every endpoint" in answer.text
    assert (await visitor.send("/keys/new/able", limit="x", window="y")).status_code == 200


async def test_a_pasted_provider_key_goes_no_further(visitor: Visitor) -> None:
    pasted = "sk-proj-" + "Ab1" * 12
    answer = await visitor.send("/keys", name=pasted, owner="asha")
    assert answer.status_code == 422
    assert pasted not in words(answer.text)


@pytest.mark.parametrize(
    ("typed", "language", "amount"),
    [
        ("80", "en", 80), ("1,284.60", "en", 1284.6), ("1284.6", "en", 1284.6), ("10 USD", "en", 10), ("$10", "en", 10),
        ("1.284,60", "es", 1284.6), ("0,50", "es", 0.5), ("0.50", "es", 0.5), ("1.284", "es", 1284), ("1.284", "en", 1.284),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_its_language_writes_it(typed: str, language: Language, amount: float) -> None:
    assert limit_of(typed, language) == round(amount * 10**9)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("typed", ["", "-1", "1e30", "NaN", "1.2.3,4,5", "9" * 30, "9999999999", "٣", "1,23,4"])
def test_what_is_no_amount_is_refused(typed: str, language: Language) -> None:
    with pytest.raises(InvalidValue):
        limit_of(typed, language)
    with pytest.raises(InvalidValue):
        window_of(typed)


async def test_an_owner_whom_nobody_added_is_refused_beside_the_field_with_the_nearest(visitor: Visitor) -> None:
    answer = await visitor.send("/keys", name="prod-fresh-one-01", owner="ahsa")
    assert answer.status_code == 422
    assert "add them first: clavero member add." in answer.text
    assert 'value="asha"' in answer.text
