"""A small closed-loop load generator: so many connections, each with one request under way, as fast as it is answered.

It is no product of statistics: it counts answers, keeps latencies and checks that each answer was whole, so that a
gateway that drops or cuts is noticed. One process, one thread; pin it away from what is measured.
"""

import asyncio
import time
from array import array
from typing import cast

from msgspec import Struct

_END_OF_HEAD = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Result(Struct, frozen=True):
    """What a run came to: answers by status, microseconds of each, and what went wrong otherwise."""

    answers: dict[int, int]
    latencies_us: list[int]
    seconds: float
    broken: int

    @property
    def count(self) -> int:
        """Answers in all."""
        return sum(self.answers.values())

    def quantile_us(self, share: float) -> int:
        """The latency that this share of the answers kept, microseconds; 0 where there was none."""
        ordered = sorted(self.latencies_us)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


class Run:
    """One run: `total` requests over `connections`, or paced to `per_second` when that is given."""

    def __init__(self, request: bytes, total: int, per_second: float = 0.0) -> None:
        self.request = request
        self.left = total
        self.open = total
        self.pause = 1.0 / per_second if per_second else 0.0
        self.next_at = 0.0
        self.answers: dict[int, int] = {}
        self.latencies = array("q")
        self.broken = 0
        self.done = asyncio.get_running_loop().create_future()

    def ended(self, status: int, microseconds: int) -> None:
        """One answer came whole (or, with status 0, broke)."""
        if status:
            self.answers[status] = self.answers.get(status, 0) + 1
            self.latencies.append(microseconds)
        else:
            self.broken += 1
        self.open -= 1
        if self.open <= 0 and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._length = -1  # of the body; -1: not known yet; -2: chunked
        self._status = 0
        self._sent_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take what came; go on when the answer is whole."""
        buffer = self._buffer = self._buffer + data if self._buffer else data
        if self._length == -1:
            end = buffer.find(_END_OF_HEAD)
            if end < 0:
                return
            self._head(buffer[:end])
            buffer = self._buffer = buffer[end + 4 :]
        if self._length == -2:
            if buffer.endswith(_LAST_CHUNK):
                self._whole()
            else:
                self._buffer = buffer[-8:]
        elif len(buffer) >= self._length:
            self._whole()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a request that got no whole answer."""
        del error
        if self._sent_ns:
            self._run.ended(0, 0)

    def _head(self, head: bytes) -> None:
        self._status = int(head[9:12])
        folded = head.lower()
        start = folded.find(b"content-length:")
        if start < 0:
            self._length = -2
            return
        end = folded.find(b"\r\n", start)
        self._length = int(folded[start + 15 : end if end > 0 else None])

    def _whole(self) -> None:
        self._buffer = b""
        self._length = -1
        taken = (time.perf_counter_ns() - self._sent_ns) // 1000
        self._sent_ns = 0
        self._run.ended(self._status, taken)
        self._next()

    def _next(self) -> None:
        run = self._run
        if run.left <= 0:
            if self._transport:
                self._transport.close()
            return
        run.left -= 1
        if not run.pause:
            self._send()
            return
        loop = asyncio.get_running_loop()
        run.next_at = max(run.next_at + run.pause, loop.time())
        loop.call_at(run.next_at, self._send)

    def _send(self) -> None:
        self._sent_ns = time.perf_counter_ns()
        if self._transport:
            self._transport.write(self._run.request)


def post(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request, ready to be sent again and again."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def load(port: int, request: bytes, total: int, *, connections: int = 32, per_second: float = 0.0) -> Result:
    """Send `total` requests to a port of this machine and wait for every answer."""
    loop = asyncio.get_running_loop()
    run = Run(request, total, per_second)
    began = time.perf_counter()
    for _ in range(min(connections, total)):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.done
    return Result(run.answers, list(run.latencies), time.perf_counter() - began, run.broken)


def main() -> None:
    """`python -m clavero.testing.load PORT REQUEST_FILE TOTAL CONNECTIONS PER_SECOND CORE`: one run, JSON on stdout."""
    import os
    import sys
    from pathlib import Path

    import msgspec
    import uvloop

    port, file, total, connections, per_second, core = sys.argv[1:7]
    os.sched_setaffinity(0, {int(core)})
    request = Path(file).read_bytes()

    async def run() -> Result:
        return await load(int(port), request, int(total), connections=int(connections), per_second=float(per_second))

    result = uvloop.run(run())
    told = {
        "answers": result.answers,
        "broken": result.broken,
        "seconds": result.seconds,
        "p50_us": result.quantile_us(0.5),
        "p99_us": result.quantile_us(0.99),
    }
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
