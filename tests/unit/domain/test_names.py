import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.names import (
    DEFAULT_RULE,
    NameParts,
    NameRule,
    is_environment,
    is_plain,
    read_name,
    rule_of,
    suggestion,
)
from clavero.domain.refusals import AlreadyExists, InvalidValue
from clavero.domain.startup import StartFailure

HOUSE = NameRule(r"(?P<service>[a-z]+)\.(?P<env>[a-z]+)", "<service>.<env>")


@pytest.mark.requirement(4)
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("prod-support-chat-01", NameParts("prod", "support", "chat", 1)),
        ("prod-mail-01", NameParts("prod", "mail", "", 1)),
        ("prod-webhook-bot-01", NameParts("prod", "webhook", "bot", 1)),
        ("qa-a-b-c-d-12", NameParts("qa", "a-b-c", "d", 12)),
        ("staging2-x-1000", NameParts("staging2", "x", "", 1000)),
    ],
)
def test_a_name_says_environment_service_purpose_and_number(name: str, parts: NameParts) -> None:
    assert read_name(name) == parts


@pytest.mark.requirement(4)
@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("test123", "dev-test-01"),
        ("Prod Helpdesk Triage", "prod-helpdesk-triage-01"),
        ("prod-webhook-bot", "prod-webhook-bot-01"),
        ("staging-rag-worker", "staging-rag-worker-01"),
        ("production_support_7", "prod-support-07"),
        ("prodHelpdeskBot", "prod-helpdesk-bot-01"),
        ("support-chat-prod", "prod-support-chat-01"),
        ("prod-bot01", "prod-bot-01"),
        ("prod-gpt4", "prod-gpt4-01"),
        ("prod", "prod-app-01"),
        ("Ñandú résumé", "dev-nandu-resume-01"),
        ("mail", "dev-mail-01"),
        ("prod--mail--01", "prod-mail-01"),
        ("-prod-mail-01-", "prod-mail-01"),
        ("PROD-MAIL-01", "prod-mail-01"),
        ("prod-mail-01\n", "prod-mail-01"),
        ("p-mail-01", "dev-p-mail-01"),
        ("12345", "dev-app-01"),
        ("", "dev-app-01"),
        ("🔑", "dev-app-01"),
        ("x" * 300, "dev-" + "x" * 40 + "-" + "x" * 13 + "-01"),
    ],
)
def test_a_refused_name_comes_back_with_the_rule_and_a_better_one(name: str, better: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_name(name)
    assert caught.value.suggestion == better
    assert DEFAULT_RULE.words in caught.value.message
    assert better in caught.value.fix


def test_a_taken_name_comes_back_with_the_next_free_one() -> None:
    taken = {"prod-mail-01", "prod-mail-02"}
    with pytest.raises(AlreadyExists) as caught:
        read_name("prod-mail-01", taken=taken)
    assert caught.value.suggestion == "prod-mail-03"
    assert suggestion("test123", taken={"dev-test-01"}) == "dev-test-02"


def test_where_every_number_is_taken_another_service_is_suggested() -> None:
    taken = {f"prod-mail-{number:02d}" for number in range(1000)}
    assert suggestion("prod-mail-05", taken=taken) == "prod-app-05"


@given(st.one_of(st.text(max_size=90), st.text(string.ascii_letters + string.digits + "-_ .", max_size=90)))
def test_no_invalid_name_is_ever_suggested(name: str) -> None:
    better = suggestion(name)
    assert DEFAULT_RULE.read(better) == read_name(better)


@given(st.text("abprodtest-01", max_size=20), st.sets(st.from_regex(r"(dev|prod)-(a|app|test)-0[1-5]", fullmatch=True)))
def test_no_taken_name_is_ever_suggested(name: str, taken: set[str]) -> None:
    assert suggestion(name, taken=taken) not in taken


@given(st.text("abcdefprod-.01 ", max_size=30))
def test_a_suggestion_obeys_the_operators_pattern_or_there_is_none(name: str) -> None:
    for rule in (HOUSE, NameRule(r"(?P<env>[a-z]+)-(?P<service>[a-z0-9-]+)", "<env>-<service>")):
        better = suggestion(name, rule)
        assert not better or rule.read(better)


def test_the_operators_pattern_is_the_one_that_counts() -> None:
    assert read_name("mail.prod", HOUSE) == NameParts("prod", "mail", "", 0)
    with pytest.raises(InvalidValue) as caught:
        read_name("prod-mail-01", HOUSE)
    assert caught.value.message == "name must be <service>.<env>"
    assert caught.value.fix == "Change it"


def test_a_pattern_cannot_let_an_environment_through_that_no_key_could_carry() -> None:
    assert NameRule(r"(?P<env>.*)-(?P<service>.*)").read("production-mail") is None


def test_a_key_pasted_as_a_name_is_refused_and_not_said_back() -> None:
    pasted = "sk-" + "a1b2" * 10
    with pytest.raises(InvalidValue) as caught:
        read_name(f"prod-{pasted}-01")
    said = f"{caught.value} {caught.value.fix} {caught.value.suggestion}"
    assert "a1b2" not in said


def test_a_long_name_is_refused_whatever_the_pattern() -> None:
    assert NameRule(r".*").read("a" * 64) is None
    assert NameRule(r".*").read("a" * 63) is not None


@pytest.mark.parametrize("name", ["a-" * 31 + "!", "a" * 63, "-" * 63, "a-" * 30 + "01x"])
def test_a_hostile_name_is_read_at_once(name: str) -> None:
    """A pattern that backtracks exponentially would meet the timeout of the suite."""
    assert DEFAULT_RULE.read(name) is None
    assert re.fullmatch(DEFAULT_RULE.pattern, suggestion(name))


def test_an_operator_sets_a_pattern_or_none_and_hears_of_a_broken_one() -> None:
    assert rule_of("", "") is DEFAULT_RULE
    assert rule_of("[a-z]+", "small letters") == NameRule("[a-z]+", "small letters")
    assert "[a-z]+" in rule_of("[a-z]+", "").words
    with pytest.raises(StartFailure, match="name_pattern"):
        rule_of("[a-z", "")


def test_plain_names_and_environments() -> None:
    assert is_plain("support-chat")
    assert not any(map(is_plain, ["", "Support", "a b", "-a", "a-", "a--b", "a/b", "a:b", "x" * 64, "sk-" + "a1" * 20]))
    assert is_environment("prod")
    assert not any(map(is_environment, ["", "p", "production", "Prod", "pr-d", "prod\n"]))
