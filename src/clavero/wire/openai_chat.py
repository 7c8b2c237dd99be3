"""OpenAI's chat completions as answers: usage, model, finish, and what of a stream is not the caller's.

`prompt_tokens` includes what was read from and written to the cache, `completion_tokens` includes the reasoning.
"""

from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.usage import Tokens
from clavero.wire.answer import Answer, Stream, lenient, member, split, whole

DONE = b"[DONE]"


class _Function(Struct, gc=False):
    arguments: Any = None


class _Call(Struct, gc=False):
    function: _Function | None = None


class _Delta(Struct, gc=False):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None  # DeepSeek, vLLM
    reasoning: Any = None  # OpenRouter, Ollama
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None


class _Choice(Struct, gc=False):
    finish_reason: Any = None
    delta: _Delta | None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    model: Any = None
    usage: Any = None
    error: Any = None


_CHUNKS = msgspec.json.Decoder(_Chunk)


def usage(reported: Any) -> Tokens | None:
    """The tokens of a `usage` object; None where it is none."""
    if not isinstance(reported, dict):
        return None
    told = reported.get
    inputs, outputs = told("prompt_tokens_details"), told("completion_tokens_details")
    if inputs is None and outputs is None:
        return split(told("prompt_tokens"), told("completion_tokens"))
    return split(
        told("prompt_tokens"),
        told("completion_tokens"),
        cached=member(inputs, "cached_tokens"),
        cache_write=member(inputs, "cache_write_tokens"),
        reasoning=member(outputs, "reasoning_tokens"),
        total=told("total_tokens"),
    )


def read_answer(body: bytes) -> Answer:
    """A plain answer."""
    answer = whole(_CHUNKS, body)
    finish = ""
    for choice in answer.choices or ():
        if choice.finish_reason:
            finish = str(choice.finish_reason)
            break
    return Answer(usage(answer.usage), str(answer.model or ""), finish)


class ChatStream(Stream):
    """A streamed answer; with `withhold` the chunk that carries usage alone is not the caller's."""

    __slots__ = ("_withhold",)

    def __init__(self, *, withhold: bool = False) -> None:
        super().__init__()
        self._withhold = withhold

    @property
    def complete(self) -> bool:
        """Ended by `[DONE]`, or by a finish and its usage where a provider leaves that out."""
        return self.error is None and (self.done or bool(self.finish and self.tokens))

    def read(self, payload: bytes) -> bool:
        """Take one chunk."""
        if payload == DONE:
            self.done = True
            return True
        chunk = lenient(_CHUNKS, payload)
        if chunk is None:
            return True
        if not self.model and isinstance(chunk.model, str):
            self.model = chunk.model
        for choice in chunk.choices or ():
            self._choice(choice)
        if chunk.error is not None:
            self.error = chunk.error if isinstance(chunk.error, dict) else {"message": str(chunk.error)}
        if chunk.usage is None:
            return True
        self.tokens = usage(chunk.usage) or self.tokens
        return bool(chunk.choices) or not self._withhold

    def _choice(self, choice: _Choice) -> None:
        if choice.finish_reason:
            self.finish = str(choice.finish_reason)
        delta = choice.delta
        if delta is None:
            return
        if delta.content:
            self.hear(delta.content)
            return
        self.hear(delta.reasoning_content or delta.reasoning or delta.refusal)
        for called in (*(call.function for call in delta.tool_calls or ()), delta.function_call):
            if called is not None:
                self.hear(called.arguments)
