"""What the simulated provider bills is what is read from its answers, plain, streamed and translated.

The simulator counts by itself; nothing of the readers is used there.
"""

import json
from typing import Any

import pytest

from clavero.adapters.clock import SystemClock
from clavero.domain import errors
from clavero.domain.credentials import ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.usage import Tokens
from clavero.simulator import Simulator, SimulatorSettings
from clavero.simulator.house import Asked
from clavero.simulator.replies import Bill, Reply
from clavero.wire import ask as asks
from clavero.wire import failures, formats, outgoing, sse
from clavero.wire.body import decode, encode

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {
        "model": "M",
        "max_completion_tokens": 40,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello, ñandú"}],
    },
    Endpoint.MESSAGES: {
        "model": "M",
        "max_tokens": 40,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hello, ñandú"}],
    },
    Endpoint.RESPONSES: {"model": "M", "max_output_tokens": 40, "instructions": "Be brief.", "input": "Hello, ñandú"},
}
TOOLS: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}],
        "tool_choice": "required",
    },
    Endpoint.MESSAGES: {"tools": [{"name": "weather", "input_schema": TOOL}], "tool_choice": {"type": "any"}},
}
PAIRS = [
    (asked, kind, model)
    for kind, model in (
        (ProviderKind.OPENAI, "gpt-4o-mini"),
        (ProviderKind.OPENAI_LIKE, "gpt-4o-mini"),
        (ProviderKind.ANTHROPIC, "claude-sonnet-4-5"),
    )
    for asked in ASKED
]


def called(asked: Endpoint, kind: ProviderKind, tree: dict[str, Any]) -> tuple[formats.Way, asks.Ask, Reply]:
    """One call of a provider, made as a gateway makes it."""
    ask = asks.READERS[asked](decode(encode(tree)))
    way = formats.pick(asked, kind)
    sent = ask.tree if way.translator is None else way.translator.request(ask.tree)
    if ask.stream and way.spoken is Endpoint.CHAT:
        sent = asks.ask_usage(sent)
    parameter = formats.cap_parameter(way.spoken, kind, "", ask.cap_parameter)
    body = asks.capped(asks.draft(sent, parameter), parameter, 40)
    headers = dict(outgoing.headers(kind, way.spoken, "k", {}, version="0", stream=ask.stream))
    path = outgoing.target("http://127.0.0.1/v1", way.spoken)
    simulator = Simulator(SimulatorSettings(first_token=0, token=0, faults=True), SystemClock())
    return way, ask, simulator.answer(Asked("POST", path, headers, body))


def billed(bill: Bill | None) -> tuple[int, int, int]:
    assert bill is not None
    return bill.input, bill.cached, bill.output


def counted(tokens: Tokens | None) -> tuple[int, int, int]:
    assert tokens is not None
    return tokens.all_input, tokens.cached, tokens.all_output


@pytest.mark.requirement(53)
@pytest.mark.parametrize(("asked", "kind", "model"), PAIRS)
def test_a_plain_answer_is_read_as_it_was_billed(asked: Endpoint, kind: ProviderKind, model: str) -> None:
    way, ask, reply = called(asked, kind, {**ASKED[asked], "model": model})
    body = b"".join(step.data for step in reply.steps)
    assert reply.status == 200, body
    answer = formats.read_answer(way.spoken, body)
    assert counted(answer.tokens) == billed(reply.bill)
    if way.translator is not None:
        translated = way.translator.answer(body, ask.tree, 0)
        assert counted(formats.read_answer(asked, translated).tokens) == billed(reply.bill)


@pytest.mark.parametrize(("asked", "kind", "model"), PAIRS)
def test_a_stream_is_read_as_it_was_billed_and_says_what_the_provider_said(
    asked: Endpoint, kind: ProviderKind, model: str
) -> None:
    way, ask, reply = called(asked, kind, {**ASKED[asked], "model": model, "stream": True})
    scanner = formats.scanner(way, ask, 0)
    out = b"".join(scanner.feed(step.data) for step in reply.steps) + scanner.end()
    assert scanner.stream.complete
    assert scanner.stream.begun
    assert counted(scanner.stream.tokens) == billed(reply.bill)
    again = formats.stream(asked)  # what the caller's client makes of it
    for event in out.split(b"\n\n"):
        if payload := sse.data_of(event):
            again.read(payload)
    assert again.complete
    assert again.said == scanner.stream.said
    if asked is Endpoint.CHAT:
        assert again.tokens is None
    else:
        assert counted(again.tokens)[2] == billed(reply.bill)[2]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("asked", "kind"), [(Endpoint.CHAT, ProviderKind.ANTHROPIC), (Endpoint.MESSAGES, ProviderKind.OPENAI)]
)
def test_a_tool_is_called_across_formats(asked: Endpoint, kind: ProviderKind, stream: bool) -> None:
    model = "claude-sonnet-4-5" if kind is ProviderKind.ANTHROPIC else "gpt-4o-mini"
    way, ask, reply = called(asked, kind, {**ASKED[asked], **TOOLS[asked], "model": model, "stream": stream})
    raw = b"".join(step.data for step in reply.steps)
    assert reply.status == 200, raw
    assert way.translator is not None
    if stream:
        scanner = formats.scanner(way, ask, 0)
        out = scanner.feed(raw) + scanner.end()
    else:
        out = way.translator.answer(raw, ask.tree, 0)
    assert b'"name":"weather"' in out
    assert (b'"finish_reason":"tool_calls"' if asked is Endpoint.CHAT else b'"stop_reason":"tool_use"') in out


def test_a_stream_that_the_simulator_cuts_is_incomplete() -> None:
    way, ask, reply = called(
        Endpoint.CHAT, ProviderKind.OPENAI, {**ASKED[Endpoint.CHAT], "model": "gpt-4o-mini+cut=5", "stream": True}
    )
    scanner = formats.scanner(way, ask, 0)
    for step in reply.steps:
        scanner.feed(step.data)
    scanner.end()
    assert not scanner.stream.complete
    assert scanner.stream.estimated_output >= 5


def test_embeddings_are_read_as_they_were_billed() -> None:
    way, _, reply = called(
        Endpoint.EMBEDDINGS, ProviderKind.OPENAI, {"model": "text-embedding-3-small", "input": ["a b", "c"]}
    )
    answer = formats.read_answer(way.spoken, reply.steps[0].data)
    assert counted(answer.tokens) == billed(reply.bill)


@pytest.mark.parametrize(
    ("kind", "endpoint", "members", "problem"),
    [
        (ProviderKind.OPENAI, Endpoint.CHAT, {"model": "gpt-9"}, errors.ModelNotFound),
        (ProviderKind.ANTHROPIC, Endpoint.MESSAGES, {"model": "claude-9"}, errors.ModelNotFound),
        (ProviderKind.OPENAI, Endpoint.CHAT, {"model": "gpt-4o-mini", "temperature": "hot"}, errors.UpstreamRefused),
    ],
)
def test_a_refusal_of_the_simulator_means_what_it_would_of_the_provider(
    kind: ProviderKind, endpoint: Endpoint, members: dict[str, Any], problem: type[errors.Problem]
) -> None:
    _, _, reply = called(endpoint, kind, {**ASKED[endpoint], **members})
    found = failures.problem("acme", members["model"], reply.status, b"".join(step.data for step in reply.steps))
    assert type(found) is problem
    assert json.dumps(str(found))
