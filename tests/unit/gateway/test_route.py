from typing import Any

from msgspec import Struct
from tests.unit.gateway.world import CLAUDE, SIM, credential, new_key, view_of

from clavero.domain.credentials import Credential, Model
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import Problem
from clavero.gateway.route import route
from clavero.gateway.view import Grant
from clavero.wire.ask import Ask

TWO = Model(name="house", provider="claude", served="haiku-1", fallback="sim/gpt-4o-mini")


def served(name: str, *things: Struct, endpoint: Endpoint = Endpoint.CHAT, **scope: Any) -> list[str] | str:
    """The targets in order, or the code of the refusal."""
    key, _ = new_key(**scope)
    try:
        found = route(Ask(endpoint, name, {}), Grant(key, "", "", ()), view_of(*things))
    except Problem as problem:
        return problem.code
    return [f"{target.provider.name}/{target.served}" for target in found]


def test_targets_come_in_order_of_preference() -> None:
    assert served("gpt-4o-mini") == ["sim/gpt-4o-mini"]
    assert served("house", TWO) == ["claude/haiku-1", "sim/gpt-4o-mini"]


def test_the_scope_of_a_key_is_checked_on_each_target_too() -> None:
    assert served("house", TWO, models=("house",)) == "model_not_allowed"
    assert served("house", TWO, models=("house", "haiku-*")) == "model_not_allowed"
    assert served("house", TWO, models=("house", "haiku-*", "sim/gpt-4o-mini")) == ["claude/haiku-1", "sim/gpt-4o-mini"]


def test_a_target_without_a_credential_is_passed_over_while_another_can_answer() -> None:
    assert served("house", TWO, credential("sim")) == ["sim/gpt-4o-mini"]
    gone: Credential = credential("nobody")
    assert served("house", TWO, gone) == "no_credential"
    assert served("gpt-4o-mini", credential("claude")) == "no_credential"


def test_a_provider_that_does_not_speak_what_is_asked_is_passed_over() -> None:
    assert served("house", TWO, endpoint=Endpoint.EMBEDDINGS) == ["sim/gpt-4o-mini"]
    assert served("haiku-1", endpoint=Endpoint.EMBEDDINGS) == "format_not_served"
    assert served("haiku-1", endpoint=Endpoint.RESPONSES) == ["claude/haiku-1"]  # translated


def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    assert served("gtp-4o-mini") == "model_not_found"
    assert served("http://evil.example/gpt-4o-mini") == "model_not_found"
    assert {SIM.name, CLAUDE.name} == {"sim", "claude"}
