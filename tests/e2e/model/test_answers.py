"""What a real model is asked beyond a chat: JSON of a schema, caps, cached tokens, and odd but legal requests."""

import json
from typing import Any

import jsonschema_rs
import pytest
from tests.e2e.model.house import CHAT, EMBEDDINGS, House
from tests.e2e.running import Answer

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
HI: Any = [{"role": "user", "content": "Say hello in five words."}]
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 99},
        "tags": {"type": "array", "items": {"enum": ["new", "old"]}, "minItems": 1, "maxItems": 2},
    },
    "required": ["name", "age", "tags"],
    "additionalProperties": False,
}


def ask(house: House, key: str = "", /, **more: Any) -> Answer:
    body = {"model": CHAT, "messages": HI, "temperature": 0, **more}
    return house.post("/v1/chat/completions", body, key)


class TestSchema:
    """An answer that must be JSON of a schema is, whatever the format it was asked in."""

    def test_in_a_chat(self, house: House) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
        with house.counted():
            answer = ask(house, max_tokens=150, response_format=form)
        _fits(answer.json["choices"][0]["message"]["content"])

    def test_in_responses(self, house: House) -> None:
        form = {"format": {"type": "json_schema", "name": "person", "strict": True, "schema": PERSON}}
        body = {"model": CHAT, "input": "Say who you are.", "max_output_tokens": 150, "text": form}
        with house.counted():
            answer = house.post("/v1/responses", body).json
        _fits(answer["output"][0]["content"][0]["text"])

    def test_in_a_message(self, house: House) -> None:
        form = {"format": {"type": "json_schema", "schema": PERSON}}
        body = {"model": CHAT, "messages": HI, "max_tokens": 150, "output_config": form}
        with house.counted():
            answer = house.post("/v1/messages", body).json
        _fits(answer["content"][0]["text"])

    def test_any_object(self, house: House) -> None:
        with house.counted():
            answer = ask(house, max_tokens=200, response_format={"type": "json_object"})
        text, finish = answer.json["choices"][0]["message"]["content"], answer.json["choices"][0]["finish_reason"]
        assert finish == "length" or isinstance(json.loads(text), dict)


class TestCap:
    """The cap that money was held for is the one that the model obeys."""

    @pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
    @pytest.mark.requirement(32)
    def test_what_was_asked(self, house: House, parameter: str) -> None:
        with house.counted() as record:
            answer = ask(house, logit_bias={"1": -100, "106": -100}, **{parameter: 7})
        assert answer.json["choices"][0]["finish_reason"] == "length"
        assert answer.json["usage"]["completion_tokens"] == 7
        assert record()["output_cap"] == 7
        assert record()["held_nano_usd"] >= record()["cost_nano_usd"]

    def test_where_nothing_was_asked_the_cap_of_the_key_is_told_and_obeyed(self, house: House) -> None:
        with house.counted() as record:
            answer = ask(house, house.short, logit_bias={"1": -100, "106": -100})
        assert answer.headers["x-clavero-output-cap"] == "11"
        assert answer.json["usage"]["completion_tokens"] == 11
        assert record()["output_cap"] == 11

    def test_several_answers_are_held_for_and_counted_as_the_server_counts(self, house: House) -> None:
        answer = ask(house, n=2, max_tokens=5, temperature=1)
        assert len(answer.json["choices"]) == 2
        record = house.record(answer.headers["x-request-id"])
        one = house.record(ask(house, max_tokens=5).headers["x-request-id"])
        assert record["tokens"]["output"] == answer.json["usage"]["completion_tokens"]
        assert record["held_nano_usd"] > one["held_nano_usd"]


def test_tokens_read_from_the_cache_are_counted_and_priced_apart(house: House) -> None:
    asked = {
        "max_tokens": 4,
        "cache_prompt": True,
        "messages": [{"role": "user", "content": "A long beginning. " * 40}],
    }
    house.record(ask(house, **asked).headers["x-request-id"])
    with house.counted() as record:
        answer = ask(house, **asked)
    cached = answer.json["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert record()["tokens"]["cached"] == cached > 100
    assert record()["tokens"]["input"] == answer.json["usage"]["prompt_tokens"] - cached


def test_embeddings_of_every_kind_of_input(house: House) -> None:
    for given in ("one", ["one", "two"], [2, 3, 4], [[2, 3], [4, 5, 6]]):
        with house.counted(house.embeddings) as record:
            answer = house.post("/v1/embeddings", {"model": EMBEDDINGS, "input": given})
        assert record()["tokens"]["input"] == answer.json["usage"]["prompt_tokens"]


def _fits(text: str) -> None:
    jsonschema_rs.validate(PERSON, json.loads(text))
