"""Anthropic's streamed messages, to and from pieces."""

from typing import Any

import msgspec

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import NO_TOKENS
from clavero.wire import canonical, sse
from clavero.wire.answer import member, words
from clavero.wire.anthropic import MessagesStream
from clavero.wire.body import Tree
from clavero.wire.translate_messages import FINISHES, SAID, message_id, write_usage

_TEXT_OPEN = -1  # the open block is text; a tool call is open under its number, which starts at 0


class MessagesPieces:
    """Reads events of a provider; `stream` knows usage and completeness."""

    def __init__(self) -> None:
        self.stream = MessagesStream()
        self._ended = False
        self._stop: str | None = None
        self._numbers: dict[Any, int] = {}  # index of a block that is a call: our number

    def read(self, payload: bytes) -> list[canonical.Piece]:
        """The pieces of one event. `UNREADABLE` where it is no JSON."""
        self.stream.read(payload)
        event = msgspec.json.decode(payload)
        match words(event, "type"):
            case "message_start":
                message = member(event, "message")
                return [canonical.Begin(words(message, "id"), words(message, "model"), self.stream.tokens or NO_TOKENS)]
            case "content_block_start":
                return self._block(member(event, "index"), member(event, "content_block"))
            case "content_block_delta":
                return self._delta(member(event, "index"), member(event, "delta"))
            case "message_delta":
                self._stop = words(member(event, "delta"), "stop_sequence") or self._stop
                return []
            case "message_stop":
                return self.end()
            case _:
                return []

    def end(self) -> list[canonical.Piece]:
        """The last piece, once, where the stream is complete."""
        if self._ended or not self.stream.complete:
            return []
        self._ended = True
        finish = FINISHES.get(self.stream.finish, "stop")
        return [canonical.End(finish, self.stream.tokens or NO_TOKENS, self._stop)]

    def _block(self, index: Any, block: Any) -> list[canonical.Piece]:
        if words(block, "type") != "tool_use" or not isinstance(index, int):
            return []
        number = self._numbers[index] = len(self._numbers)
        return [canonical.CallBegin(number, words(block, "id"), words(block, "name"))]

    def _delta(self, index: Any, delta: Any) -> list[canonical.Piece]:
        if text := words(delta, "text"):
            return [canonical.Text(text)]
        number = self._numbers.get(index) if isinstance(index, int) else None
        given = words(delta, "partial_json")
        return [canonical.CallPiece(number, given)] if given and number is not None else []


class MessagesWriter:
    """Writes events for a caller."""

    def __init__(self, _asked: Tree, _created: int) -> None:
        self._index = -1  # of the last block
        self._open: int | None = None

    def write(self, piece: canonical.Piece) -> bytes:
        """The bytes of one piece."""
        match piece:
            case canonical.Begin():
                return self._begin(piece)
            case canonical.Text(text):
                opened = b"" if self._open == _TEXT_OPEN else self._start(_TEXT_OPEN, {"type": "text", "text": ""})
                return opened + self._delta({"type": "text_delta", "text": text})
            case canonical.CallBegin(number, identity, name):
                return self._start(number, {"type": "tool_use", "id": identity, "name": name, "input": {}})
            case canonical.CallPiece(number, given):
                if number != self._open:
                    raise BadAnswer("the provider went back to a tool call that had ended")
                return self._delta({"type": "input_json_delta", "partial_json": given})
            case canonical.End():
                return self._close() + self._end(piece)

    def _begin(self, begin: canonical.Begin) -> bytes:
        message: Tree = {"id": message_id(begin.id), "type": "message", "role": "assistant", "model": begin.model}
        message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": write_usage(begin.tokens)}
        return _event({"type": "message_start", "message": message})

    def _start(self, number: int, block: Tree) -> bytes:
        closed = self._close()
        self._index += 1
        self._open = number
        return closed + _event({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, delta: Tree) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event({"type": "content_block_stop", "index": self._index})

    def _end(self, end: canonical.End) -> bytes:
        reason = "stop_sequence" if end.stop else SAID[end.finish]
        delta = {"stop_reason": reason, "stop_sequence": end.stop}
        told = _event({"type": "message_delta", "delta": delta, "usage": write_usage(end.tokens)})
        return told + _event({"type": "message_stop"})


def _event(tree: Tree) -> bytes:
    return sse.event(tree, str(tree["type"]))
