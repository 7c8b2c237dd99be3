import json
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.gateway.world import CLAUDE, PRICES, SIM, credential, new_key, trail_of, view_of

from clavero.domain.credentials import Model
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import ModelNotFound
from clavero.gateway.models import models
from clavero.gateway.view import Grant

HOUSE = Model(name="house/small", provider="sim", served="gpt-4o-mini")


def asked(path: str = "/v1/models", *, anthropic: bool = False, things: Any = (HOUSE,), **scope: Any) -> Any:
    key, _ = new_key(**scope)
    trail = trail_of({"anthropic-version": "2023-06-01"} if anthropic else {}, Endpoint.MODELS)
    trail.request.path = path
    trail.grant = Grant(key, "", "", ())
    return json.loads(models(trail, view_of(*things)))


def test_the_list_is_in_the_shape_of_the_caller_s_sdk() -> None:
    openai = asked()
    assert openai["object"] == "list"
    assert [row["id"] for row in openai["data"]] == ["gpt-4o-mini", "haiku-1", "house/small"]
    assert openai["data"][1] == {"id": "haiku-1", "object": "model", "created": 0, "owned_by": "claude"}
    anthropic = asked(anthropic=True)
    assert (anthropic["first_id"], anthropic["last_id"], anthropic["has_more"]) == ("gpt-4o-mini", "house/small", False)
    assert {row["type"] for row in anthropic["data"]} == {"model"}


def test_a_key_sees_what_it_may_ask_for_and_nothing_else() -> None:
    assert [row["id"] for row in asked(models=("gpt-*",))["data"]] == ["gpt-4o-mini"]
    assert asked(models=("nothing",), anthropic=True) == {
        "data": [], "has_more": False, "first_id": None, "last_id": None,
    }  # fmt: skip


def test_one_model_is_found_by_its_name_also_with_a_slash_in_it() -> None:
    for path in ("/v1/models/house/small", "/models/house%2Fsmall", "/v1/models/house%2Fsmall?x=1"):
        assert asked(path)["id"] == "house/small"
    assert asked("/v1/models/gpt-4o-mini", anthropic=True)["type"] == "model"


@pytest.mark.parametrize("path", ["/v1/models/nothing", "/v1/models/haiku-1", "/v1/models/gpt-4o-mini%00"])
def test_a_model_that_this_key_cannot_ask_for_is_not_found(path: str) -> None:
    with pytest.raises(ModelNotFound):
        asked(path, models=("gpt-4o-mini",))


def test_a_declared_model_whose_provider_is_off_hides_itself_and_not_the_others() -> None:
    off = replace(SIM, enabled=False)
    rows = asked(things=(HOUSE, off, CLAUDE, *PRICES))["data"]
    assert [row["id"] for row in rows] == ["haiku-1"]


def test_a_model_without_a_credential_is_not_offered() -> None:
    rows = asked(things=(HOUSE, credential("claude")))["data"]
    assert [row["id"] for row in rows] == ["haiku-1"]
