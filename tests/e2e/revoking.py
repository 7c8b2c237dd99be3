"""Keys that end while they are used: open streams, a steady crowd of callers, and one look at each worker."""

import asyncio
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.e2e.own_provider import SLOW
from tests.e2e.running import Running

STREAMS_CUT = 5.0  # seconds
ASKED = {"model": "gpt-4o-mini", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}
_BOOT = 6  # characters of a request's id that are not its worker's own


@dataclass
class OpenStream:
    """One stream that is read to its end, however it comes."""

    running: Running
    key: str
    read: bytes = b""
    ended: float = 0.0

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(self.running.gateway.removeprefix("http://"), timeout=60)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    @property
    def words(self) -> int:
        return self.read.count(b"word")

    def leave(self) -> None:
        if self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def _read(self) -> None:
        body = json.dumps({**ASKED, "model": SLOW, "max_tokens": 2000, "stream": True}).encode()
        try:
            headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
            self.connection.request("POST", "/v1/chat/completions", body, headers)
            answer = self.connection.getresponse()
            while piece := answer.read1(65536):
                self.read += piece
        except (OSError, http.client.HTTPException):
            pass  # a cut connection is an end as well
        finally:
            self.ended = time.monotonic()
            self.connection.close()


def made(running: Running, name: str) -> str:
    answer = running.api("POST", "/keys", {"name": name, "owner": "asha"})
    assert answer.status == 201, answer.body
    return str(answer.json["secret"])


def until(what: object, seconds: float) -> bool:
    assert callable(what)
    end = time.monotonic() + seconds
    while not (true := what()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(true)


@dataclass
class Line:
    """A connection that is kept, and so always reaches the same worker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    worker: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def open(cls, running: Running) -> "Line":
        host, _, port = running.gateway.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def code(self, key: str) -> str:
        """How a key is answered that asks for the models: "" where it is let in."""
        async with self.turn:
            head = f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
            self.writer.write(head.encode())
            top = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            told = dict(line.split(": ", 1) for line in top[1:] if line)
            body = await self.reader.readexactly(int(told["content-length"]))
            self.worker = told["x-request-id"][:-_BOOT]
            return "" if " 200 " in top[0] else str(json.loads(body)["error"]["code"])


async def lines(running: Running, key: str, workers: int) -> list[Line]:
    """One line to each worker."""
    found: dict[str, Line] = {}
    for _ in range(50 * workers):
        line = await Line.open(running)
        await line.code(key)
        if line.worker in found:
            line.writer.close()
        found.setdefault(line.worker, line)
        if len(found) == workers:
            return list(found.values())
    raise AssertionError(f"{len(found)} of {workers} workers were reached")


async def refused_after(line: Line, key: str, told: float, most: float) -> float:
    """Seconds from `told` to the first request of this key that its worker refuses; 0 where it is the next one."""
    first = True
    while True:
        sent = time.monotonic()
        if await line.code(key) == "key_revoked":
            return 0.0 if first else sent - told
        first = False
        assert sent - told < most, "it was never refused"
        await asyncio.sleep(0.005)


@dataclass
class Crowd:
    """Calls at a steady rate, with keys that are handed in and taken away meanwhile."""

    running: Running
    keys: list[str]
    rate: float
    revoked: dict[str, float] = field(default_factory=dict)  # key: when its revocation was answered
    answers: list[tuple[str, float, int]] = field(default_factory=list)  # key, sent at, status
    broken: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, over: asyncio.Event) -> None:
        """Call until it is over."""
        due, number = time.monotonic(), 0
        while not over.is_set():
            while due <= time.monotonic():
                due, number = due + 1 / self.rate, number + 1
                task = asyncio.get_running_loop().create_task(self._call(self.keys[number * 7919 % len(self.keys)]))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*self._open)

    def let_in_late(self, seconds: float) -> int:
        """Answers to keys whose revocation had been answered for so long when they were sent."""
        return sum(
            status == 200 and sent > self.revoked.get(key, float("inf")) + seconds for key, sent, status in self.answers
        )

    async def _call(self, key: str) -> None:
        host, _, port = self.running.gateway.removeprefix("http://").partition(":")
        body = json.dumps(ASKED)
        sent = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            answer = await asyncio.wait_for(reader.read(-1), 60)
            writer.close()
        except (OSError, TimeoutError):
            self.broken += 1
            return
        self.answers.append((key, sent, int(answer.split(b" ", 2)[1]) if answer else 0))


def told_of(times: list[float], what: str) -> dict[str, float]:
    """Print and return the figures of some durations, seconds."""
    ordered = sorted(times)
    figures = {
        "p50": ordered[len(ordered) // 2], "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        "most": ordered[-1],
    }  # fmt: skip
    shown = ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in figures.items())
    print(f"{what}: {len(ordered)}; {shown}", flush=True)
    return figures
