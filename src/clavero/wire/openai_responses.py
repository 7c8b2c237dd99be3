"""OpenAI's responses as answers: usage, model, status; a stream ends with the response as a whole.

`input_tokens` includes what was read from and written to the cache, `output_tokens` includes the reasoning.
"""

from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.usage import Tokens
from clavero.wire.answer import Answer, Stream, lenient, member, split, whole

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})


class _Response(Struct, gc=False):
    model: Any = None
    status: Any = None
    usage: Any = None
    error: Any = None
    incomplete_details: Any = None


class _Event(Struct, gc=False):
    type: Any = None
    delta: Any = None
    response: _Response | None = None
    error: Any = None
    code: Any = None
    message: Any = None


_RESPONSES = msgspec.json.Decoder(_Response)
_EVENTS = msgspec.json.Decoder(_Event)


def usage(reported: Any) -> Tokens | None:
    """The tokens of a `usage` object; None where it is none."""
    inputs, outputs = member(reported, "input_tokens_details"), member(reported, "output_tokens_details")
    return split(
        member(reported, "input_tokens"),
        member(reported, "output_tokens"),
        cached=member(inputs, "cached_tokens"),
        cache_write=member(inputs, "cache_write_tokens"),
        reasoning=member(outputs, "reasoning_tokens"),
        total=member(reported, "total_tokens"),
    )


def read_answer(body: bytes) -> Answer:
    """A plain answer; `finish` is its status, or why it is incomplete."""
    response = whole(_RESPONSES, body)
    return Answer(usage(response.usage), str(response.model or ""), _finish(response))


class ResponsesStream(Stream):
    """A streamed answer."""

    __slots__ = ()

    def read(self, payload: bytes) -> bool:
        """Take one event."""
        if payload == b"[DONE]":  # not OpenAI's own, but of some who speak its format
            return True
        event = lenient(_EVENTS, payload)
        if event is None or not isinstance(event.type, str):
            return True
        if event.type.endswith(".delta"):
            self.hear(event.delta)
        elif event.type == "error":
            self.error = event.error if isinstance(event.error, dict) else _stated(event)
        elif event.response is not None:
            self._whole(event.type, event.response)
        return True

    def _whole(self, kind: str, response: _Response) -> None:
        self.model = str(response.model or self.model)
        if kind not in _LAST:
            return
        self.done = True
        self.finish = _finish(response)
        self.tokens = usage(response.usage) or self.tokens
        if kind == "response.failed":
            self.error = response.error if isinstance(response.error, dict) else {}


def _finish(response: _Response) -> str:
    return str(member(response.incomplete_details, "reason") or response.status or "")


def _stated(event: _Event) -> dict[str, Any]:
    return {"code": event.code, "message": event.message}
