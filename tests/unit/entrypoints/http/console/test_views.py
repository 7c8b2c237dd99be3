import pytest
from tests.unit.entrypoints.http.console.things import NOW, a_standing, an_exchange

from clavero.control.pressure import used
from clavero.domain.budgets import Subject, Window
from clavero.domain.refusals import AlreadyExists, Forbidden, InvalidValue, NotFound
from clavero.domain.usage import Attempt
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.views import answer, budget_row, call, remedy, said, tone_of, trouble

EN, ES = Messages("en"), Messages("es")
ATTEMPT = Attempt("p", "m", 0, 1, 200)


@pytest.mark.parametrize(
    ("changed", "shape", "words", "tone"),
    [
        ({}, "active", "200", ""),
        ({"attempts": (ATTEMPT, ATTEMPT)}, "diamond", "200, 2 attempts", "warn"),
        ({"status": 429, "code": "insufficient_quota"}, "diamond", "429 budget", "warn"),
        ({"status": 502, "code": "upstream_error"}, "triangle", "502 upstream", "bad"),
        ({"status": 418, "code": "new_code"}, "diamond", "418 new_code", "warn"),
        ({"status": 499, "outcome": "left"}, "disabled", "499 client left", "quietly"),
        ({"status": 0, "outcome": "left"}, "disabled", "499 client left", "quietly"),
        ({"outcome": "partial"}, "diamond", "200 incomplete", "warn"),
    ],
)
def test_an_answer_is_a_shape_and_words_red_for_failures_alone(
    changed: dict[str, object], shape: str, words: str, tone: str
) -> None:
    assert answer(an_exchange(**changed), EN) == (shape, words, tone)


def test_a_call_that_used_nothing_shows_dashes_and_a_zero() -> None:
    refused = an_exchange(tokens=type(an_exchange().tokens)(), cost_n=0, status=429, code="insufficient_quota")
    row = call(refused, EN, Formats("en", NOW), "")
    assert (row.input, row.output, row.cost, row.free) == ("\u2013", "\u2013", "0", True)
    assert row.key == "id-prod-support-chat-01"  # nobody knows its name any more
    row = call(an_exchange(), ES, Formats("es", NOW), "prod-x", "/there")
    assert (row.input, row.output, row.cost, row.seconds, row.key) == ("3.918", "641", "0,001801", "4,62", "prod-x")


@pytest.mark.parametrize(
    ("share", "tone"), [(0.0, ""), (0.79, ""), (0.8, "warned"), (0.98, "warned"), (0.99, "harmed"), (2, "harmed")]
)
def test_a_share_is_amber_from_80_and_red_when_nothing_is_left(share: float, tone: str) -> None:
    assert tone_of(share) == tone


def test_a_budget_of_nothing_is_spent() -> None:
    assert used(a_standing(0, 0)) == 1.0
    assert used(a_standing(25)) == 0.25


def test_a_budget_says_whose_it_is_and_when_it_resets() -> None:
    row = budget_row(a_standing(86), EN, Formats("en", NOW))
    assert (row.subject, row.name, row.url, row.share) == (
        "key",
        "prod-support-chat-01",
        "/keys/prod-support-chat-01",
        "86%",
    )
    assert (row.resets, row.resets_said) == ("00:00", "resets 00:00")
    whole = a_standing(1, subject=Subject.ORGANISATION, name="default", shown="default", window=Window.FOREVER)
    row = budget_row(whole, ES, Formats("es", NOW))
    assert (row.subject, row.name, row.url, row.resets, row.resets_said) == ("organización", "", "", "nunca", "")


def test_a_refusal_is_told_by_the_rule_of_its_field_in_both_languages() -> None:
    refusal = InvalidValue("name", "<env>-…", "prod-x-01")
    assert trouble(refusal, EN).message == "Use a name such as prod-x-01."
    assert trouble(refusal, ES).message == "Usa un nombre como prod-x-01."
    assert trouble(refusal, ES).shown
    assert "<env>" in trouble(InvalidValue("name", "<env>-…"), EN).message  # no name to suggest: the rule itself
    assert trouble(AlreadyExists("key", "x"), ES).message == "Ese nombre ya existe."


def test_a_refusal_that_no_field_shows_keeps_its_next_step() -> None:
    assert said(Forbidden("key.revoke"), EN) == "This role may not key.revoke."
    assert said(Forbidden("key.revoke"), ES) == "Tu rol no puede hacer eso."
    assert remedy(NotFound("key", "x"), ES) == "clavero key list"
    assert remedy(NotFound("key", "x", "prod-x-01"), ES) == "Usar prod-x-01"
    assert remedy(NotFound("key", "x", "prod-x-01"), EN) == "Try prod-x-01."
    assert not trouble(Forbidden("key.revoke"), ES).shown
