"""POST /v1/chat/completions, plain and streamed."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from clavero.simulator.answers import Answer, Ask, Choice, Tool, Twist, answer
from clavero.simulator.house import Asked, House
from clavero.simulator.models import OPENAI, Card, find
from clavero.simulator.refusals import Dialect, Refusal, no_such_model, refuse
from clavero.simulator.replies import Reply, Step, bill_of, event, plain
from clavero.simulator.tokens import count

FINGERPRINT = "simulated"
CACHE_LEAST, CACHE_BLOCK = 1_024, 128  # tokens
_PER_MESSAGE, _PER_REQUEST = 3, 3
_IMAGE_LOW, _IMAGE_HIGH = 85, 765
_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls", "sequence": "stop"}
_DONE = b"data: [DONE]\n\n"


class _ImageUrl(Struct):
    url: str
    detail: str = "auto"


class _Part(Struct):
    type: str
    text: str = ""
    image_url: _ImageUrl | None = None


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: msgspec.Raw = msgspec.Raw()


class _Function(Struct):
    name: str
    parameters: Any = None


class _Tool(Struct):
    type: str
    function: _Function | None = None


class _JsonSchema(Struct):
    name: str
    schema: Any = None


class _Format(Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _StreamOptions(Struct):
    include_usage: bool = False


class _Chat(Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    response_format: _Format | None = None
    reasoning_effort: str | None = None


_DECODER = msgspec.json.Decoder(_Chat)


def exchange(asked: Asked, house: House, twist: Twist) -> Reply:
    """Answer one request; raises `Refusal` or `msgspec.MsgspecError`."""
    chat, ask = _read(asked, house)
    return _render(chat, twist(answer(ask, Dialect.OPENAI)), house)


def _read(asked: Asked, house: House) -> tuple[_Chat, Ask]:
    chat = _DECODER.decode(asked.body)
    card = find(OPENAI, chat.model)
    if card is None:
        raise no_such_model(Dialect.OPENAI, chat.model)
    if card.width:
        raise refuse(Dialect.OPENAI, 404, "This is not a chat model.", param="model")
    last = chat.messages[-1]
    prefix = sum(map(_tokens, chat.messages[:-1])) + _tool_tokens(chat.tools)
    return chat, Ask(
        card=card, model=chat.model, text="" if last.role in {"tool", "function"} else _text(last),
        input_tokens=_PER_REQUEST + prefix + _tokens(last), cached=_cached(chat, prefix, house),
        cap=_cap(chat, card), choices=chat.n or 1, stops=_stops(chat.stop), tools=_tools(chat.tools),
        forced=_forced(chat.tool_choice), schema=_schema(chat.response_format),
        reasons=card.reasoning and chat.reasoning_effort not in {"none", "minimal"},
        length=house.settings.answer_tokens,
    )  # fmt: skip


def _render(chat: _Chat, given: Answer, house: House) -> Reply:
    bill = bill_of(given)
    head = {"id": house.identity("chatcmpl-"), "created": house.now(), "model": given.model}
    if chat.stream:
        wanted = bool(chat.stream_options and chat.stream_options.include_usage)
        steps = tuple(_steps(head, given, house, usage=wanted))
        return Reply(steps=steps, streamed=True, bill=bill)
    document: dict[str, Any] = {
        **head,
        "object": "chat.completion",
        "choices": [_choice(index, choice, head["id"]) for index, choice in enumerate(given.choices)],
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }
    if given.reported:
        document["usage"] = usage_of(given)
    return plain(document, bill, house.pace)


def usage_of(given: Answer) -> dict[str, Any]:
    """The usage in chat's words."""
    return {
        "prompt_tokens": given.input_tokens,
        "completion_tokens": given.output_tokens,
        "total_tokens": given.input_tokens + given.output_tokens,
        "prompt_tokens_details": {"cached_tokens": given.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": given.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _choice(index: int, choice: Choice, identity: object) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []}
    if choice.tool:
        function = {"name": choice.tool, "arguments": choice.text}
        message["content"] = None
        message["tool_calls"] = [{"id": f"call_{identity}_{index}", "type": "function", "function": function}]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[choice.finish]}


def _steps(head: dict[str, Any], given: Answer, house: House, *, usage: bool) -> Iterator[Step]:
    """Role, then piece by piece, choices in turn; then how each ended, the usage where it is wanted, and the end."""
    base = head | {"object": "chat.completion.chunk", "service_tier": "default", "system_fingerprint": FINGERPRINT}
    tail = {"usage": None} if usage and given.reported else {}

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**base, "choices": [choice], **tail})

    opening = b"".join(chunk(i, _opening(c, i, head["id"])) for i, c in enumerate(given.choices))
    yield Step(house.pace.first_token, opening)
    for place in range(max(len(choice.pieces) for choice in given.choices)):
        for index, choice in enumerate(given.choices):
            if place < len(choice.pieces):
                delta = _delta(choice, choice.pieces[place])
                yield Step(house.pace.token if place else 0.0, chunk(index, delta), 1)
    end = b"".join(chunk(index, {}, _FINISH[choice.finish]) for index, choice in enumerate(given.choices))
    yield Step(0.0, end)
    if usage and given.reported:
        yield Step(0.0, event({**base, "choices": [], "usage": usage_of(given)}))
    yield Step(0.0, _DONE)


def _opening(choice: Choice, index: int, identity: object) -> dict[str, Any]:
    if not choice.tool:
        return {"role": "assistant", "content": "", "refusal": None}
    call = {"index": 0, "id": f"call_{identity}_{index}", "type": "function"}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [call | {"function": {"name": choice.tool, "arguments": ""}}],
    }


def _delta(choice: Choice, piece: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} if choice.tool else {"content": piece}


def _text(message: _Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return " ".join(part.text for part in message.content or [] if part.text)


def _tokens(message: _Message) -> int:
    content = message.content
    tokens = _PER_MESSAGE + len(message.tool_calls and bytes(message.tool_calls)) // 4
    if isinstance(content, str):
        return tokens + count(content)
    return tokens + sum(count(part.text) + _image(part.image_url) for part in content or [])


def _cached(chat: _Chat, prefix: int, house: House) -> int:
    """A long beginning that came before is read from the cache, in whole blocks, as the real provider does."""
    if prefix < CACHE_LEAST:
        return 0
    known = house.seen(msgspec.json.encode([chat.model, chat.messages[:-1], chat.tools]))
    return prefix // CACHE_BLOCK * CACHE_BLOCK if known else 0


def _image(image: _ImageUrl | None) -> int:
    """Tokens of an image; an inline one never counts more than it has bytes."""
    if image is None:
        return 0
    tokens = _IMAGE_LOW if image.detail == "low" else _IMAGE_HIGH
    return min(tokens, len(image.url)) if image.url.startswith("data:") else tokens


def _tool_tokens(tools: list[_Tool] | None) -> int:
    return len(msgspec.json.encode(tools)) // 4 if tools else 0


def _cap(chat: _Chat, card: Card) -> int | None:
    """The cap, by the rules of the real provider about its two names."""
    if chat.max_tokens is not None and card.reasoning:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise refuse(Dialect.OPENAI, 400, message, code="unsupported_parameter", param="max_tokens")
    if chat.max_tokens is not None and chat.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise refuse(Dialect.OPENAI, 400, message, code="invalid_parameter_combination")
    name = "max_completion_tokens" if chat.max_tokens is None else "max_tokens"
    cap = chat.max_completion_tokens if chat.max_tokens is None else chat.max_tokens
    if cap is not None and cap > card.output:
        raise _cap_too_large(name, cap, card)
    return cap


def _cap_too_large(name: str, cap: int, card: Card) -> Refusal:
    message = f"{name} is too large: {cap}. This model supports at most {card.output} completion tokens."
    return refuse(Dialect.OPENAI, 400, message, code="invalid_value", param=name)


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _tools(tools: list[_Tool] | None) -> tuple[Tool, ...]:
    return tuple(Tool(tool.function.name, tool.function.parameters) for tool in tools or () if tool.function)


def _forced(choice: Any) -> str:
    if isinstance(choice, dict):
        return str(choice.get("function", {}).get("name", "*"))
    return {"required": "*", "none": "none"}.get(choice, "")


def _schema(form: _Format | None) -> Any:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return {"type": "object", "properties": {"simulated": {"const": True}, "answer": {"type": "string"}}}
    return (form.json_schema.schema if form.json_schema else None) or {"type": "object"}
