import json

import msgspec

from clavero.simulator.refusals import Dialect, no_such_model, refuse, too_long, unreadable


def test_bodies_have_the_shape_of_their_dialect() -> None:
    openai = json.loads(no_such_model(Dialect.OPENAI, "x").body(Dialect.OPENAI, "req_sim-1"))["error"]
    assert (openai["type"], openai["code"], openai["param"]) == ("invalid_request_error", "model_not_found", None)
    anthropic = json.loads(no_such_model(Dialect.ANTHROPIC, "x").body(Dialect.ANTHROPIC, "req_sim-1"))
    assert anthropic == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "model: x"},
        "request_id": "req_sim-1",
    }


def test_types_follow_the_status() -> None:
    assert [refuse(Dialect.ANTHROPIC, status, "").kind for status in (429, 500, 529)] == [
        "rate_limit_error",
        "api_error",
        "overloaded_error",
    ]
    assert refuse(Dialect.OPENAI, 500, "").kind == "server_error"


def test_too_long_an_input_is_told_with_both_figures() -> None:
    assert "9 tokens > 8 maximum" in too_long(Dialect.ANTHROPIC, 9, 8).message
    assert too_long(Dialect.OPENAI, 9, 8).code == "context_length_exceeded"


def test_no_json_and_the_wrong_shape_are_told_apart() -> None:
    assert unreadable(Dialect.OPENAI, msgspec.ValidationError("Expected int")).code == "invalid_type"
    assert "parse" in unreadable(Dialect.OPENAI, msgspec.DecodeError("truncated")).message
