import os
from collections.abc import Callable

import pytest

from clavero.domain import scopes
from clavero.domain.endpoints import Endpoint
from clavero.domain.refusals import InvalidValue
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind, mint

PASTED = "sk-" + "a1b2" * 10


def test_models_are_names_or_patterns_each_once() -> None:
    assert scopes.models(["gpt-4o", "gpt-*", "gpt-4o", "meta-llama/Llama-3:free", "*"]) == (
        "gpt-4o",
        "gpt-*",
        "meta-llama/Llama-3:free",
        "*",
    )
    assert scopes.models([]) == ()


@pytest.mark.parametrize("name", ["", " ", "*-4o", "g*t", "a b", "a\n", "é", "-x", "x" * 300, PASTED])
def test_a_model_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        scopes.models(["gpt-4o", name])
    with pytest.raises(InvalidValue):
        scopes.model(name)


def test_a_pattern_is_no_name() -> None:
    assert scopes.model("gpt-4o") == "gpt-4o"
    with pytest.raises(InvalidValue):
        scopes.model("gpt-*")


def test_a_list_has_its_bound() -> None:
    with pytest.raises(InvalidValue, match="at most 200"):
        scopes.models(f"m{number}" for number in range(201))


def test_an_unknown_endpoint_comes_with_the_nearest() -> None:
    assert scopes.endpoints(["chat", Endpoint.EMBEDDINGS, "chat"]) == ("chat", "embeddings")
    with pytest.raises(InvalidValue) as caught:
        scopes.endpoints(["embedings"])
    assert caught.value.suggestion == "embeddings"


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "x" * 65, "a/b"])
def test_a_feature_has_a_plain_name(name: str) -> None:
    assert scopes.features(["summary", "chat_v2"]) == ("summary", "chat_v2")
    with pytest.raises(InvalidValue):
        scopes.features([name])


@pytest.mark.parametrize("text", ["x" * 11, "a\nb", "a\x00", f"{PASTED}"])
def test_a_line_is_short_printable_and_no_key(text: str) -> None:
    with pytest.raises(InvalidValue):
        scopes.words(text, "owner", 10)


def test_a_line_that_is_needed_says_so() -> None:
    assert scopes.words("  asha ", "owner", 10, needed="who answers for it") == "asha"
    assert scopes.words("", "purpose", 10) == ""
    with pytest.raises(InvalidValue, match="who answers"):
        scopes.words("  ", "owner", 10, needed="who answers for it")


def test_a_provider_key_is_taken_without_the_white_space_around_it() -> None:
    assert scopes.provider_secret(Secret(f" {PASTED}\n")).reveal() == PASTED
    assert scopes.provider_secret(Secret("ollama")).reveal() == "ollama"


@pytest.mark.parametrize(
    "value",
    [
        lambda: "",
        lambda: " \n",
        lambda: "two words",
        lambda: "a\r\nHost: evil",
        lambda: "clé",
        lambda: "x" * 8193,
        mint(Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal,
    ],
)
def test_what_cannot_be_a_provider_key_is_refused_without_being_said(value: Callable[[], str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        scopes.provider_secret(Secret(value()))
    assert "evil" not in str(caught.value)
    assert "clvk" not in str(caught.value)
