"""Anthropic's messages as answers: usage, model, stop reason.

`input_tokens` excludes what was read from and written to the cache; `output_tokens` includes the thinking. A stream
tells usage twice: at its start, and cumulatively in `message_delta`, where some providers tell all of it for the first
time and others repeat the input as 0.
"""

from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.usage import Tokens
from clavero.wire.answer import Answer, Stream, count, lenient, member, whole
from clavero.wire.body import Tree


class _Message(Struct, gc=False):
    model: Any = None
    usage: Any = None
    stop_reason: Any = None


class _Delta(Struct, gc=False):
    text: Any = None
    partial_json: Any = None
    thinking: Any = None
    stop_reason: Any = None


class _Event(Struct, gc=False):
    type: Any = None
    delta: _Delta | None = None
    message: _Message | None = None
    usage: Any = None
    error: Any = None


_MESSAGES = msgspec.json.Decoder(_Message)
_EVENTS = msgspec.json.Decoder(_Event)
_FIGURES = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


def usage(reported: Any) -> Tokens | None:
    """The tokens of a `usage` object; None where it has no output tokens."""
    output = count(member(reported, "output_tokens"))
    if output is None:
        return None
    uncached, read, written = (count(member(reported, name)) or 0 for name in _FIGURES[:3])
    thought = min(count(member(member(reported, "output_tokens_details"), "thinking_tokens")) or 0, output)
    return Tokens(uncached, read, written, output - thought, thought)


def read_answer(body: bytes) -> Answer:
    """A plain answer."""
    message = whole(_MESSAGES, body)
    return Answer(usage(message.usage), str(message.model or ""), str(message.stop_reason or ""))


def read_count(body: bytes) -> Answer:
    """An answer of `count_tokens`, which uses none."""
    whole(_MESSAGES, body)
    return Answer(Tokens())


class MessagesStream(Stream):
    """A streamed answer."""

    __slots__ = ("_figures",)

    def __init__(self) -> None:
        super().__init__()
        self._figures: Tree = {}

    def read(self, payload: bytes) -> bool:
        """Take one event."""
        event = lenient(_EVENTS, payload)
        if event is None:
            return True
        if event.type == "content_block_delta" and event.delta is not None:
            self.hear(event.delta.text or event.delta.partial_json or event.delta.thinking)
        elif event.type == "message_start" and event.message is not None:
            self.model = str(event.message.model or "")
            self._told(event.message.usage)
        elif event.type == "message_delta":
            self.finish = str((event.delta and event.delta.stop_reason) or self.finish)
            self._told(event.usage)
        elif event.type == "message_stop":
            self.done = True
        elif event.type == "error":
            self.error = event.error if isinstance(event.error, dict) else {}
        return True

    def _told(self, reported: Any) -> None:
        """Later figures are the final ones, but a 0 or a null there says nothing new."""
        for name in (*_FIGURES, "output_tokens_details"):
            if value := member(reported, name):
                self._figures[name] = value
        if count(member(reported, "output_tokens")) is not None:
            self._figures.setdefault("output_tokens", 0)
        self.tokens = usage(self._figures)
