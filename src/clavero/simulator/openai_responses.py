"""POST /v1/responses, plain and streamed with the provider's sequence of events."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from clavero.simulator.answers import Answer, Ask, Tool, Twist, answer
from clavero.simulator.house import Asked, House
from clavero.simulator.models import OPENAI, Card, find
from clavero.simulator.refusals import Dialect, no_such_model, refuse
from clavero.simulator.replies import Reply, Step, bill_of, event, plain
from clavero.simulator.tokens import count

_PER_ITEM, _PER_REQUEST = 3, 3
_IMAGE_LOW, _IMAGE_HIGH = 85, 765
Document = dict[str, Any]


class _Part(Struct):
    type: str
    text: str = ""
    image_url: str | None = None
    detail: str = "auto"


class _Item(Struct):
    type: str = "message"
    role: str = ""
    content: str | list[_Part] | None = None
    arguments: str = ""
    output: Any = None


class _Tool(Struct):
    type: str
    name: str = ""
    parameters: Any = None


class _Format(Struct):
    type: str
    schema: Any = None


class _Text(Struct):
    format: _Format | None = None


class _Reasoning(Struct):
    effort: str | None = None


class _Request(Struct):
    model: str
    input: str | Annotated[list[_Item], Meta(min_length=1)]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=16)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    previous_response_id: str | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None


_DECODER = msgspec.json.Decoder(_Request)


def exchange(asked: Asked, house: House, twist: Twist) -> Reply:
    """Answer one request; raises `Refusal` or `msgspec.MsgspecError`."""
    request = _DECODER.decode(asked.body)
    given = twist(answer(_ask(request, house), Dialect.OPENAI))
    shape = _Shape(request, given, house)
    if request.stream:
        return Reply(steps=tuple(shape.steps()), streamed=True, bill=bill_of(given))
    return plain(shape.whole(), bill_of(given), house.pace)


def _ask(request: _Request, house: House) -> Ask:
    card = find(OPENAI, request.model)
    if card is None or card.width:
        raise no_such_model(Dialect.OPENAI, request.model)
    if request.previous_response_id:
        message = f"Previous response with id '{request.previous_response_id}' not found."
        raise refuse(Dialect.OPENAI, 400, message, code="previous_response_not_found", param="previous_response_id")
    form = request.text.format if request.text else None
    return Ask(
        card=card, model=request.model, text=_last_text(request.input), input_tokens=_input_tokens(request),
        cap=_cap(request, card), tools=tuple(Tool(t.name, t.parameters) for t in request.tools or () if t.name),
        forced=_forced(request.tool_choice), schema=_schema(form),
        reasons=card.reasoning and (not request.reasoning or request.reasoning.effort not in {"none", "minimal"}),
        length=house.settings.answer_tokens,
    )  # fmt: skip


class _Shape:
    """One response and the events that lead to it."""

    def __init__(self, request: _Request, given: Answer, house: House) -> None:
        self._request = request
        self._given = given
        self._choice = given.choices[0]
        self._pace = house.pace
        self._id = house.identity("resp_")
        self._item_id = self._id.replace("resp_", "fc_" if self._choice.tool else "msg_")
        self._created = house.now()
        self._cut = self._choice.finish == "length"
        self._sequence = 0

    def whole(self) -> Document:
        """The finished response."""
        status = "incomplete" if self._cut else "completed"
        document = self._frame(status, [self._item(status, self._choice.text)])
        if self._cut:
            document["incomplete_details"] = {"reason": "max_output_tokens"}
        document["completed_at"] = None if self._cut else self._created
        document["usage"] = _usage(self._given) if self._given.reported else None
        return document

    def steps(self) -> Iterator[Step]:
        """The events, one step for each piece of the text or of the arguments."""
        begun = self._frame("in_progress", [])
        opening = self._event("response.created", response=begun)
        opening += self._event("response.in_progress", response=begun)
        opening += self._event("response.output_item.added", **self._place(item=self._item("in_progress", None)))
        if not self._choice.tool:
            opening += self._event("response.content_part.added", **self._spot(part=_part("")))
        yield Step(self._pace.first_token, opening)
        for place, piece in enumerate(self._choice.pieces):
            yield Step(self._pace.token if place else 0.0, self._delta(piece), 1)
        yield Step(0.0, self._closing())
        end = self.whole()
        yield Step(0.0, self._event(f"response.{end['status']}", response=end))

    def _delta(self, piece: str) -> bytes:
        if self._choice.tool:
            return self._event("response.function_call_arguments.delta", **self._place(delta=piece, item_id=True))
        return self._event("response.output_text.delta", **self._spot(delta=piece, logprobs=[]))

    def _closing(self) -> bytes:
        text = self._choice.text
        item = self._item("incomplete" if self._cut else "completed", text)
        if self._choice.tool:
            facts = self._place(arguments=text, item_id=True, name=self._choice.tool)
            done = self._event("response.function_call_arguments.done", **facts)
        else:
            done = self._event("response.output_text.done", **self._spot(text=text, logprobs=[]))
            done += self._event("response.content_part.done", **self._spot(part=_part(text)))
        return done + self._event("response.output_item.done", **self._place(item=item))

    def _place(self, *, item_id: bool = False, **facts: Any) -> Document:
        return {"output_index": 0, **({"item_id": self._item_id} if item_id else {}), **facts}

    def _spot(self, **facts: Any) -> Document:
        return {"item_id": self._item_id, "output_index": 0, "content_index": 0, **facts}

    def _event(self, kind: str, **facts: Any) -> bytes:
        written = event({"type": kind, "sequence_number": self._sequence, **facts}, kind)
        self._sequence += 1
        return written

    def _item(self, status: str, text: str | None) -> Document:
        if self._choice.tool:
            call = {"call_id": f"call_{self._id}", "name": self._choice.tool, "arguments": text or ""}
            return {"id": self._item_id, "type": "function_call", "status": status, **call}
        content = [] if text is None else [_part(text)]
        return {"id": self._item_id, "type": "message", "status": status, "role": "assistant", "content": content}

    def _frame(self, status: str, output: list[Document]) -> Document:
        request = self._request
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "model": self._given.model,
            "output": output,
            "parallel_tool_calls": request.parallel_tool_calls is not False,
            "previous_response_id": None,
            "reasoning": {"effort": request.reasoning.effort if request.reasoning else None, "summary": None},
            "service_tier": "default",
            "store": False,
            "temperature": request.temperature if request.temperature is not None else 1.0,
            "text": {"format": request.text.format if request.text and request.text.format else {"type": "text"}},
            "tool_choice": request.tool_choice or "auto",
            "tools": request.tools or [],
            "top_p": request.top_p if request.top_p is not None else 1.0,
            "truncation": "disabled",
            "usage": None,
            "metadata": {**(request.metadata or {}), "simulated": "true"},
        }


def _part(text: str) -> Document:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(given: Answer) -> Document:
    return {
        "input_tokens": given.input_tokens,
        "input_tokens_details": {"cached_tokens": given.cached, "cache_write_tokens": 0},
        "output_tokens": given.output_tokens,
        "output_tokens_details": {"reasoning_tokens": given.reasoning},
        "total_tokens": given.input_tokens + given.output_tokens,
    }


def _last_text(given: str | list[_Item]) -> str:
    if isinstance(given, str):
        return given
    content = given[-1].content
    if isinstance(content, str):
        return content
    return " ".join(part.text for part in content or [] if part.text)


def _input_tokens(request: _Request) -> int:
    tokens = _PER_REQUEST + count(request.instructions or "")
    tokens += len(msgspec.json.encode(request.tools)) // 4 if request.tools else 0
    if isinstance(request.input, str):
        return tokens + count(request.input)
    return tokens + sum(map(_item_tokens, request.input))


def _item_tokens(item: _Item) -> int:
    tokens = _PER_ITEM + count(item.arguments)
    tokens += count(item.output) if isinstance(item.output, str) else 0
    if isinstance(item.content, str):
        return tokens + count(item.content)
    return tokens + sum(count(part.text) + _image(part) for part in item.content or [])


def _image(part: _Part) -> int:
    if not part.image_url:
        return 0
    tokens = _IMAGE_LOW if part.detail == "low" else _IMAGE_HIGH
    return min(tokens, len(part.image_url)) if part.image_url.startswith("data:") else tokens


def _cap(request: _Request, card: Card) -> int | None:
    cap = request.max_output_tokens
    if cap is not None and cap > card.output:
        message = f"Invalid 'max_output_tokens': {cap}. This model supports at most {card.output} output tokens."
        raise refuse(Dialect.OPENAI, 400, message, code="invalid_value", param="max_output_tokens")
    return cap


def _forced(choice: Any) -> str:
    if isinstance(choice, dict):
        return str(choice.get("name", "*"))
    return {"required": "*", "none": "none"}.get(choice, "")


def _schema(form: _Format | None) -> Any:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return {"type": "object", "properties": {"simulated": {"const": True}, "answer": {"type": "string"}}}
    return form.schema or {"type": "object"}
