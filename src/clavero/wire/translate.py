"""From the format that was asked to the one that the provider speaks and back: requests, answers and streams.

Sans-IO; the pairs are a table. A translated stream is fed like one that passes through, and knows the same of it.
"""

from collections.abc import Callable
from typing import Protocol

from clavero.domain.calls import BadAnswer
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidParameter, MalformedJson
from clavero.wire import canonical, sse, translate_chat, translate_messages, translate_responses
from clavero.wire.answer import UNREADABLE, Stream
from clavero.wire.body import Tree
from clavero.wire.translate_chat_stream import ChatPieces, ChatWriter
from clavero.wire.translate_messages_stream import MessagesPieces, MessagesWriter
from clavero.wire.translate_responses_stream import ResponsesWriter


class Pieces(Protocol):
    """Reads the events of a provider."""

    @property
    def stream(self) -> Stream:
        """What is known of the stream."""
        ...

    def read(self, payload: bytes) -> list[canonical.Piece]:
        """The pieces of one event."""
        ...

    def end(self) -> list[canonical.Piece]:
        """The pieces that only the end of the connection brings."""
        ...


class Writer(Protocol):
    """Writes events for a caller."""

    def write(self, piece: canonical.Piece) -> bytes:
        """The bytes of one piece."""
        ...


_READ_REQUEST = {
    Endpoint.CHAT: translate_chat.read_request,
    Endpoint.MESSAGES: translate_messages.read_request,
    Endpoint.RESPONSES: translate_responses.read_request,
}
_WRITE_REQUEST = {Endpoint.CHAT: translate_chat.write_request, Endpoint.MESSAGES: translate_messages.write_request}
_READ_REPLY = {Endpoint.CHAT: translate_chat.read_reply, Endpoint.MESSAGES: translate_messages.read_reply}
_WRITE_REPLY: dict[Endpoint, Callable[[canonical.Reply, Tree, int], bytes]] = {
    Endpoint.CHAT: lambda reply, _asked, created: translate_chat.write_reply(reply, created),
    Endpoint.MESSAGES: lambda reply, _asked, _created: translate_messages.write_reply(reply),
    Endpoint.RESPONSES: translate_responses.write_reply,
}
_PIECES: dict[Endpoint, Callable[[], Pieces]] = {Endpoint.CHAT: ChatPieces, Endpoint.MESSAGES: MessagesPieces}
_WRITERS: dict[Endpoint, Callable[[Tree, int], Writer]] = {
    Endpoint.CHAT: ChatWriter,
    Endpoint.MESSAGES: MessagesWriter,
    Endpoint.RESPONSES: ResponsesWriter,
}


class TranslatedStream:
    """Reads a provider's stream and writes the caller's; used as a `Scanner` is."""

    __slots__ = ("_begun", "_pieces", "_splitter", "_writer", "skipped")

    def __init__(self, pieces: Pieces, writer: Writer) -> None:
        self.skipped = 0  # events that were no JSON
        self._begun = False
        self._pieces = pieces
        self._writer = writer
        self._splitter = sse.Splitter()

    @property
    def stream(self) -> Stream:
        """What is known of the stream."""
        return self._pieces.stream

    def feed(self, data: bytes) -> bytes:
        """Take one read; the events to send, perhaps none. Raises `BadAnswer`, `EventTooLong`."""
        return b"".join([self._translate(sse.data_of(event)) for event in self._splitter.feed(data)])

    def end(self) -> bytes:
        """The connection has ended; nothing is made up where the provider's stream was incomplete."""
        last = self._translate(sse.data_of(self._splitter.end() + b"\n\n"))
        return last + self._write(self._pieces.end())

    def _translate(self, payload: bytes) -> bytes:
        if not payload or self.stream.error is not None:
            return b""
        try:
            pieces = self._pieces.read(payload)
        except UNREADABLE:
            self.skipped += 1
            return b""
        return self._write(pieces)

    def _write(self, pieces: list[canonical.Piece]) -> bytes:
        if pieces and not self._begun:
            self._begun = True
            if not isinstance(pieces[0], canonical.Begin):  # a provider that tells nothing of itself first
                pieces = [canonical.Begin("", self.stream.model), *pieces]
        return b"".join([self._writer.write(piece) for piece in pieces])


class Translator:
    """Between what was asked and what is spoken."""

    __slots__ = ("asked", "spoken")

    def __init__(self, asked: Endpoint, spoken: Endpoint) -> None:
        self.asked = asked
        self.spoken = spoken

    def request(self, tree: Tree) -> Tree:
        """The request in the provider's format; `InvalidParameter` names what cannot be said there."""
        return _WRITE_REQUEST[self.spoken](_READ_REQUEST[self.asked](tree))

    def answer(self, body: bytes, asked: Tree, created: int) -> bytes:
        """A plain answer in the caller's format; `asked` is the caller's request, `created` UTC seconds.

        `BadAnswer` where it cannot be told: that is the provider's fault, never the caller's.
        """
        try:
            return _WRITE_REPLY[self.asked](_READ_REPLY[self.spoken](body), asked, created)
        except MalformedJson:
            raise BadAnswer("the answer is not the JSON of its format") from None
        except InvalidParameter as unsayable:
            raise BadAnswer(f"the answer cannot be told: {unsayable}") from None

    def stream(self, asked: Tree, created: int) -> TranslatedStream:
        """The machine for one streamed answer."""
        return TranslatedStream(_PIECES[self.spoken](), _WRITERS[self.asked](asked, created))
