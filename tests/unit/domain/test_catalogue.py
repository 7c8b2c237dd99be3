import re
import string
from pathlib import Path
from typing import get_args

import pytest

from clavero.domain import errors, refusals
from clavero.domain.catalogue import Language, codes, entry, fact_and_fix, nearest, problems
from clavero.domain.catalogue_en import ENGLISH
from clavero.domain.catalogue_es import SPANISH
from clavero.entrypoints.http.console.door import Stranger

SOURCE = Path(errors.__file__).parents[1]
LANGUAGES: tuple[Language, ...] = get_args(Language)
ALWAYS_GIVEN = {"request_id"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.requirement(32)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", problems())
def test_every_problem_has_fact_cause_and_remedy_in_both_languages(code: str, language: Language) -> None:
    found = entry(code, language)
    assert found is not None
    assert found.fact
    assert found.cause
    assert found.fix


def test_every_failure_to_start_has_its_entry() -> None:
    raised = {
        code for path in SOURCE.rglob("*.py") for code in re.findall(r'StartFailure\(\s*"(\w+)"', path.read_text())
    }
    assert {"port_in_use", "already_running", "data_dir_unwritable"} <= raised
    assert raised <= set(codes())


def test_every_refusal_of_the_control_plane_has_its_entry() -> None:
    everywhere = {refusals.Refusal.code, Stranger.code, *(kind.code for kind in refusals.Refusal.__subclasses__())}
    assert everywhere <= set(codes())


def test_both_languages_have_the_same_codes() -> None:
    assert ENGLISH.keys() == SPANISH.keys()


@pytest.mark.parametrize("code", ENGLISH)
def test_both_languages_want_the_same_facts(code: str) -> None:
    english, spanish = entry(code, "en"), entry(code, "es")
    assert english is not None
    assert spanish is not None
    assert placeholders(english.fact) == placeholders(spanish.fact)
    assert placeholders(english.fix) == placeholders(spanish.fix)
    assert bool(english.otherwise) == bool(spanish.otherwise)


@pytest.mark.parametrize("code", ENGLISH)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_remedy_that_wants_more_than_its_fact_has_another(code: str, language: Language) -> None:
    found = entry(code, language)
    assert found is not None
    assert not placeholders(found.otherwise)
    more = placeholders(found.fix) - placeholders(found.fact) - ALWAYS_GIVEN
    assert not more or found.otherwise, more


@pytest.mark.parametrize("code", ENGLISH)
@pytest.mark.parametrize("words", [ENGLISH, SPANISH], ids=["en", "es"])
def test_the_voice_is_kept(code: str, words: dict[str, tuple[str, ...]]) -> None:
    for text in words[code]:
        assert not re.search(
            r"\b(please|sorry|oops|just|simply|lo siento|por favor|vosotros|vos)\b|!", text, re.IGNORECASE
        )
        assert not text.endswith(".") or text == words[code][1]
        for sentence in re.split(r"[.;:] ", text):
            assert len(sentence.split()) <= 12, sentence


def test_facts_are_filled_in_by_language() -> None:
    problem = errors.InsufficientQuota(
        budget="team/support", left=1_234_560_000_000, worst=118_000, resets_at="2026-11-23T00:00:00Z"
    )
    assert fact_and_fix(problem, "en") == (
        "team/support has $1,234.56 left; this call may cost $0.000118.",
        "Lower max_tokens, or wait until 2026-11-23T00:00:00Z.",
    )
    assert fact_and_fix(problem, "es")[0] == (
        "Saldo de team/support: 1\u202f234.56 USD; esta llamada puede costar 0.000118 USD."
    )


def test_a_remedy_without_its_fact_says_something_else() -> None:
    assert fact_and_fix(errors.ModelNotFound(model="gpt-x", guess="gpt-4o"), "en")[1] == "Try gpt-4o."
    assert (
        fact_and_fix(errors.ModelNotFound(model="gpt-x", guess=""), "en")[1] == "List the models with GET /v1/models."
    )


def test_a_fact_that_is_not_known_is_an_ellipsis() -> None:
    assert fact_and_fix(errors.KeyExpired(), "en") == ("The key expired on …", "Ask the owner of the key.")


def test_no_fact_carries_a_key_out_or_breaks_a_line() -> None:
    leak = "sk-" + "proj-" + "a" * 40
    fact, _ = fact_and_fix(errors.UpstreamRefused(provider="openai", what=f"bad key {leak}\r\nx"), "en")
    assert leak not in fact
    assert "\n" not in fact


def test_a_long_fact_is_cut() -> None:
    assert len(fact_and_fix(errors.ModelNotFound(model="m" * 10_000), "en")[0]) < 400


def test_braces_in_a_fact_are_plain_text() -> None:
    assert "{kid}" in fact_and_fix(errors.ModelNotFound(model="{kid} {0} {x!r}"), "en")[0]


def test_a_problem_without_an_entry_still_says_its_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.ModelNotFound, "code", "of_a_later_version")
    assert fact_and_fix(errors.ModelNotFound(model="x"), "es") == ("There is no model x.", "")


def test_the_nearest_code_is_named() -> None:
    assert nearest("insuficient_quota") == "insufficient_quota"
    assert nearest("zzz") == ""
    assert entry("zzz", "en") is None


def test_an_explanation_leaves_no_placeholder() -> None:
    found = entry("insufficient_quota", "en")
    assert found is not None
    assert "{" not in found.explained().fact + found.explained().fix


def test_a_fact_that_is_not_known_is_not_told_as_none() -> None:
    for language in LANGUAGES:
        failed = errors.UpstreamError(provider="acme", n=2, retry_after=None)
        assert fact_and_fix(failed, language) == fact_and_fix(errors.UpstreamError(provider="acme", n=2), language)
        assert "None" not in "".join(fact_and_fix(failed, language))
