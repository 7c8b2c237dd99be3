from typing import Any

import pytest
from tests.unit.gateway.world import new_key

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import Problem
from clavero.gateway.authorize import authorize
from clavero.gateway.view import Grant
from clavero.wire.ask import Ask


def judge(
    scope: dict[str, Any], model: str = "gpt-4o-mini", feature: str = "", endpoint: Endpoint = Endpoint.CHAT
) -> str:
    """The feature that is let through, or the code of the refusal."""
    key, _ = new_key(**scope)
    headers = {"x-clavero-feature": feature} if feature else {}
    try:
        return authorize(Ask(endpoint, model, {}), Grant(key, "", "", ()), headers)
    except Problem as problem:
        return problem.code


@pytest.mark.parametrize(
    ("scope", "model", "code"),
    [
        ({}, "anything", ""),
        ({"models": ("gpt-4o-mini",)}, "gpt-4o-mini", ""),
        ({"models": ("gpt-4o-mini",)}, "openai/gpt-4o-mini", ""),
        ({"models": ("gpt-*",)}, "gpt-4o", ""),
        ({"models": ("gpt-4o-mini",)}, "gpt-4o", "model_not_allowed"),
        ({"models": ("gpt-4o-mini",)}, "gpt-4o-mini-x", "model_not_allowed"),
        ({"models": ("openai/*",)}, "anthropic/claude", "model_not_allowed"),
        ({"endpoints": ("chat",)}, "x", ""),
        ({"endpoints": ("embeddings", "messages")}, "x", "endpoint_not_allowed"),
    ],
)
def test_a_key_stays_within_its_scope(scope: dict[str, Any], model: str, code: str) -> None:
    assert judge(scope, model) == code


def test_a_feature_has_to_be_declared_and_is_bounded() -> None:
    scope = {"features": ("reply", "triage")}
    assert judge(scope) == ""
    assert judge(scope, feature="reply") == "reply"
    assert judge(scope, feature="other") == "feature_not_declared"
    assert judge({}, feature="reply") == "feature_not_declared"
    assert judge({"features": ("x" * 65,)}, feature="x" * 65) == "invalid_header"


def test_the_endpoint_is_judged_before_the_model() -> None:
    assert judge({"models": ("a",), "endpoints": ("chat",)}, "b", endpoint=Endpoint.MESSAGES) == "endpoint_not_allowed"
