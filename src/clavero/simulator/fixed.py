"""An upstream that answers every request of a dialect with the same bytes: what a gateway is measured against.

Plain, or as a stream of chunks of which one is written to each open stream at every turn, so that a reader gets them
one at a time. It parses no more than it must.
"""

import asyncio
from typing import cast

from msgspec import Struct

# A chat completion of 1 KB, and one of a hundred chunks as a provider would stream it.
_TOLD = b'"created":1,"model":"gpt-4o-mini"'
PLAIN = b"".join(
    (
        b'{"id":"chatcmpl-fixed","object":"chat.completion",' + _TOLD + b',"choices":[{"index":0,"message":{',
        b'"role":"assistant","content":"' + b"x" * 700 + b'"},"logprobs":null,"finish_reason":"stop"}],',
        b'"usage":{"prompt_tokens":200,"completion_tokens":180,"total_tokens":380}}',
    )
)
MESSAGE = b"".join(
    (
        b'{"id":"msg_fixed","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{',
        b'"type":"text","text":"' + b"x" * 700 + b'"}],"stop_reason":"end_turn","stop_sequence":null,',
        b'"usage":{"input_tokens":200,"output_tokens":180}}',
    )
)
_HEAD = b'data: {"id":"chatcmpl-fixed","object":"chat.completion.chunk",' + _TOLD
_WORD = _HEAD + b',"choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}\n\n'
_STOP = _HEAD + b',"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
_USED = b',"choices":[],"usage":{"prompt_tokens":200,"completion_tokens":98,"total_tokens":298}}\n\ndata: [DONE]\n\n'
CHUNKS = (*(_WORD for _ in range(98)), _STOP, _HEAD + _USED)

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_MESSAGES = b"POST /v1/messages "


class Fixed(Struct, frozen=True):
    """What is answered: a body, or `chunks` pieces with a pause in seconds between two of them.

    `message` is the body for Anthropic's path; empty is the same as for every other.
    """

    body: bytes
    chunks: tuple[bytes, ...] = ()
    pause: float = 0.002
    message: bytes = b""


class Answering(asyncio.Protocol):
    """One connection: counts bytes of a request, then answers."""

    def __init__(self, fixed: Fixed) -> None:
        self._fixed = fixed
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._plain = _plain(fixed.body)
        self._message = _plain(fixed.message or fixed.body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        buffer = self._buffer + data
        end = buffer.find(_END_OF_HEAD)
        if end < 0 or len(buffer) < end + 4 + _length(buffer[:end]):
            self._buffer = buffer
            return
        self._buffer = b""
        if self._transport is None:
            return
        if self._fixed.chunks and b'"stream":true' in buffer:
            self._transport.write(_STREAM_HEAD)
            self._chunk(0)
        else:
            self._transport.write(self._message if buffer.startswith(_MESSAGES) else self._plain)

    def _chunk(self, number: int) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if number == len(self._fixed.chunks):
            self._transport.write(b"0\r\n\r\n")
            return
        piece = self._fixed.chunks[number]
        self._transport.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        asyncio.get_running_loop().call_later(self._fixed.pause, self._chunk, number + 1)


_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _plain(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _length(head: bytes) -> int:
    folded = head.lower()
    start = folded.find(_LENGTH)
    if start < 0:
        return 0
    end = folded.find(b"\r\n", start)
    return int(folded[start + len(_LENGTH) : end if end > 0 else None])


async def serve_fixed(fixed: Fixed, port: int = 0) -> asyncio.Server:
    """Answer on 127.0.0.1; port 0 takes any free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Answering(fixed), "127.0.0.1", port)


def main() -> None:
    """`python -m clavero.simulator.fixed PORT_FILE CORE`: the upstream of `clavero bench`, on one core."""
    import os
    import sys
    from pathlib import Path

    import uvloop

    os.sched_setaffinity(0, {int(sys.argv[2])})

    async def serve() -> None:
        server = await serve_fixed(Fixed(PLAIN, CHUNKS, message=MESSAGE))
        file = Path(sys.argv[1])
        fresh = file.with_name(file.name + ".new")
        fresh.write_text(str(server.sockets[0].getsockname()[1]))
        fresh.replace(file)
        await server.serve_forever()

    uvloop.run(serve())


if __name__ == "__main__":
    main()
