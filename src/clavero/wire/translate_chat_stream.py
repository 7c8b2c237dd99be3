"""OpenAI's streamed chat completions, to and from pieces."""

from typing import Any

import msgspec

from clavero.domain.usage import NO_TOKENS
from clavero.wire import canonical, sse
from clavero.wire.answer import listed, member, words
from clavero.wire.body import Tree
from clavero.wire.openai_chat import DONE, ChatStream
from clavero.wire.translate_chat import FINISHES, SAID, chat_id, write_usage


class ChatPieces:
    """Reads chunks of a provider; `stream` knows usage and completeness."""

    def __init__(self) -> None:
        self.stream = ChatStream()
        self._begun = False
        self._ended = False
        self._numbers: dict[Any, int] = {}  # the provider's index of a call: ours

    def read(self, payload: bytes) -> list[canonical.Piece]:
        """The pieces of one chunk. `UNREADABLE` where it is no JSON."""
        self.stream.read(payload)
        if payload == DONE:
            return self.end()
        chunk = msgspec.json.decode(payload)
        pieces: list[canonical.Piece] = []
        if not self._begun and listed(chunk, "choices"):
            self._begun = True
            pieces.append(canonical.Begin(words(chunk, "id"), words(chunk, "model")))
        for choice in listed(chunk, "choices")[:1]:
            pieces += self._delta(member(choice, "delta"))
        if self.stream.finish and self.stream.tokens:
            pieces += self.end()
        return pieces

    def end(self) -> list[canonical.Piece]:
        """The last piece, once, where the stream is complete."""
        if self._ended or not self.stream.complete:
            return []
        self._ended = True
        finish = FINISHES.get(self.stream.finish, "stop")
        return [canonical.End(finish, self.stream.tokens or NO_TOKENS)]

    def _delta(self, delta: Any) -> list[canonical.Piece]:
        pieces: list[canonical.Piece] = [
            canonical.Text(text) for name in ("content", "refusal") if (text := words(delta, name))
        ]
        for call in listed(delta, "tool_calls"):
            function = member(call, "function")
            index = member(call, "index")
            key = index if isinstance(index, int) else words(call, "id") or len(self._numbers) - 1
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers)
                pieces.append(canonical.CallBegin(self._numbers[key], words(call, "id"), words(function, "name")))
            if given := words(function, "arguments"):
                pieces.append(canonical.CallPiece(self._numbers[key], given))
        return pieces


class ChatWriter:
    """Writes chunks for a caller; `created` is UTC seconds."""

    def __init__(self, asked: Tree, created: int) -> None:
        self._usage = bool(member(asked.get("stream_options"), "include_usage"))
        self._head: Tree = {"id": "", "object": "chat.completion.chunk", "created": created, "model": ""}

    def write(self, piece: canonical.Piece) -> bytes:
        """The bytes of one piece."""
        match piece:
            case canonical.Begin(identity, model):
                self._head |= {"id": chat_id(identity), "model": model}
                return self._chunk({"role": "assistant", "content": "", "refusal": None})
            case canonical.Text(text):
                return self._chunk({"content": text})
            case canonical.CallBegin(number, identity, name):
                function = {"name": name, "arguments": ""}
                call = {"index": number, "id": identity, "type": "function", "function": function}
                return self._chunk({"tool_calls": [call]})
            case canonical.CallPiece(number, given):
                return self._chunk({"tool_calls": [{"index": number, "function": {"arguments": given}}]})
            case canonical.End():
                return self._end(piece)

    def _chunk(self, delta: Tree, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse.event({**self._head, "choices": [choice]})

    def _end(self, end: canonical.End) -> bytes:
        last = self._chunk({}, SAID[end.finish])
        if self._usage:
            last += sse.event({**self._head, "choices": [], "usage": write_usage(end.tokens)})
        return last + b"data: [DONE]\n\n"
