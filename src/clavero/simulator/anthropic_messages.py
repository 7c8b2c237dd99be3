"""POST /v1/messages, plain and streamed with the provider's events, and POST /v1/messages/count_tokens."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from clavero.simulator.answers import Answer, Ask, Choice, Tool, Twist, answer
from clavero.simulator.house import Asked, House
from clavero.simulator.models import ANTHROPIC, Card, find
from clavero.simulator.refusals import Dialect, no_such_model, refuse
from clavero.simulator.replies import Reply, Step, bill_of, event, plain
from clavero.simulator.tokens import count

_PER_MESSAGE, _PER_REQUEST = 3, 4
_IMAGE = 1_600
CACHE_LEAST = 1_024  # tokens
_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "sequence": "stop_sequence"}
Document = dict[str, Any]


class _Source(Struct):
    type: str
    data: str = ""
    url: str = ""


class _CacheControl(Struct):
    type: str


class _Block(Struct):
    type: str
    text: str = ""
    source: _Source | None = None
    input: msgspec.Raw = msgspec.Raw()
    content: Any = None
    cache_control: _CacheControl | None = None


class _Message(Struct):
    role: str
    content: str | list[_Block]


class _Tool(Struct):
    name: str
    input_schema: Any = None


class _Choice(Struct):
    type: str
    name: str = ""


class _Thinking(Struct):
    type: str
    budget_tokens: int | None = None


class _Counted(Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    system: str | list[_Block] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Thinking | None = None


class _Request(_Counted, kw_only=True):
    max_tokens: Annotated[int, Meta(ge=1)]
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None


_DECODER = msgspec.json.Decoder(_Request)
_COUNTED = msgspec.json.Decoder(_Counted)


def exchange(asked: Asked, house: House, twist: Twist) -> Reply:
    """Answer one request; raises `Refusal` or `msgspec.MsgspecError`."""
    request = _DECODER.decode(asked.body)
    card = _card(request.model)
    _check_limits(request, card)
    given = twist(answer(_ask(request, card, house), Dialect.ANTHROPIC))
    identity = house.identity("msg_")
    if request.stream:
        return Reply(steps=tuple(_steps(identity, given, house)), streamed=True, bill=bill_of(given))
    choice = given.choices[0]
    document = _frame(identity, given) | {
        "content": [_content(identity, choice)],
        "stop_reason": _FINISH[choice.finish],
        "stop_sequence": choice.sequence,
    }
    return plain(document, bill_of(given), house.pace)


def count_tokens(asked: Asked, house: House) -> Reply:
    """Say how many input tokens a request would have; nothing is billed."""
    request = _COUNTED.decode(asked.body)
    _card(request.model)
    return plain({"input_tokens": _input_tokens(request)}, None, house.pace)


def _card(name: str) -> Card:
    card = find(ANTHROPIC, name)
    if card is None:
        raise no_such_model(Dialect.ANTHROPIC, name)
    return card


def _check_limits(request: _Request, card: Card) -> None:
    if request.max_tokens > card.output:
        message = (
            f"max_tokens: {request.max_tokens} > {card.output}, which is the maximum allowed number of output tokens "
            f"for {request.model}"
        )
        raise refuse(Dialect.ANTHROPIC, 400, message)
    budget = request.thinking.budget_tokens if request.thinking else None
    if budget is not None and budget >= request.max_tokens:
        raise refuse(Dialect.ANTHROPIC, 400, "`max_tokens` must be greater than `thinking.budget_tokens`.")


def _ask(request: _Request, card: Card, house: House) -> Ask:
    choice = request.tool_choice
    cached, written = _cached(request, house)
    forced = {"any": "*", "none": "none", "tool": choice.name}.get(choice.type, "") if choice else ""
    return Ask(
        card=card, model=request.model, text=_text(request.messages[-1]), input_tokens=_input_tokens(request),
        cached=cached, written=written, cap=request.max_tokens, stops=tuple(request.stop_sequences or ()),
        tools=tuple(Tool(tool.name, tool.input_schema) for tool in request.tools or ()), forced=forced,
        length=house.settings.answer_tokens,
    )  # fmt: skip


def _frame(identity: str, given: Answer) -> Document:
    document: Document = {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": given.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    return document | ({"usage": _usage(given, given.output_tokens)} if given.reported else {})


def _usage(given: Answer, output: int) -> Document:
    return {
        "input_tokens": given.input_tokens - given.cached - given.written,
        "cache_creation_input_tokens": given.written,
        "cache_read_input_tokens": given.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": given.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def _content(identity: str, choice: Choice) -> Document:
    if not choice.tool:
        return {"type": "text", "text": choice.text, "citations": None}
    # Arguments cut by the cap are no JSON; the provider then sends what there is as an empty object.
    arguments = msgspec.Raw(choice.text.encode()) if choice.finish == "tool" else {}
    return {"type": "tool_use", "id": f"toolu_{identity}", "name": choice.tool, "input": arguments}


def _steps(identity: str, given: Answer, house: House) -> Iterator[Step]:
    choice = given.choices[0]
    begun = _frame(identity, given)
    if given.reported:
        begun["usage"] = _usage(given, 1)
    empty: Document = {"input": {}} if choice.tool else {"text": ""}
    block = _content(identity, choice) | empty
    opening = event({"type": "message_start", "message": begun}, "message_start")
    opening += event({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
    yield Step(house.pace.first_token, opening + event({"type": "ping"}, "ping"))
    kind, field = ("input_json_delta", "partial_json") if choice.tool else ("text_delta", "text")
    for place, piece in enumerate(choice.pieces):
        told = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, field: piece}}
        yield Step(house.pace.token if place else 0.0, event(told, "content_block_delta"), 1)
    yield Step(0.0, event({"type": "content_block_stop", "index": 0}, "content_block_stop"))
    ended: Document = {"type": "message_delta"}
    ended["delta"] = {"stop_reason": _FINISH[choice.finish], "stop_sequence": choice.sequence}
    if given.reported:
        ended["usage"] = _usage(given, given.output_tokens)
    yield Step(0.0, event(ended, "message_delta"))
    yield Step(0.0, event({"type": "message_stop"}, "message_stop"))


def _text(message: _Message) -> str:
    """What the person asks; "" where it is the result of a tool."""
    if isinstance(message.content, str):
        return message.content
    if any(block.type == "tool_result" for block in message.content):
        return ""
    return " ".join(block.text for block in message.content if block.text)


def _input_tokens(request: _Counted) -> int:
    tokens = _PER_REQUEST + sum(_PER_MESSAGE + _tokens(message.content) for message in request.messages)
    tokens += _tokens(request.system or "")
    return tokens + (len(msgspec.json.encode(request.tools)) // 4 if request.tools else 0)


def _cached(request: _Request, house: House) -> tuple[int, int]:
    """Tokens read from and written to the cache: everything up to the last block marked with `cache_control`."""
    blocks = [block for block in request.system or [] if isinstance(block, _Block)]
    for message in request.messages:
        blocks += [block for block in message.content if isinstance(block, _Block)]
    marked = [place for place, block in enumerate(blocks) if block.cache_control]
    if not marked:
        return 0, 0
    kept = blocks[: marked[-1] + 1]
    tokens = sum(map(_block_tokens, kept))
    if tokens < CACHE_LEAST:
        return 0, 0
    known = house.seen(msgspec.json.encode([request.model, request.tools, kept]))
    return (tokens, 0) if known else (0, tokens)


def _tokens(content: str | list[_Block]) -> int:
    if isinstance(content, str):
        return count(content)
    return sum(map(_block_tokens, content))


def _block_tokens(block: _Block) -> int:
    tokens = count(block.text) + len(bytes(block.input)) // 4
    if isinstance(block.content, str):
        tokens += count(block.content)
    elif block.content is not None:
        tokens += len(msgspec.json.encode(block.content)) // 4
    if block.source is None:
        return tokens
    return tokens + (min(_IMAGE, len(block.source.data)) if block.source.data else _IMAGE)
