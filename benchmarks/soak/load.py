"""The mixed load: an open loop of calls of several kinds, and beside it keys that rotate, end and begin."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.soak.stand import Stand

from clavero.adapters.clock import SystemDice

_ROTATE_EVERY, _REVOKE_EVERY = 2.0, 5.0  # seconds
_PATIENCE = 30.0
_MOST_OPEN = 2_000
_STRANGER = "clvk_prod_0123456789AB_" + "a" * 43 + "3rYW1j"
_WORDS = "Tell me of the sea, of ships that cross it, and of those who wait ashore. " * 12
_LEFT_AFTER = 3  # reads of a stream


@dataclass
class Call:
    """One kind of call: how many in a hundred, what is asked, and which answers are right."""

    name: str
    share: int
    expected: frozenset[int]
    body: bytes
    known: bool = True  # asks with a key that is in use
    leaves: bool = False


def _body(**more: object) -> bytes:
    asked = {"model": "gpt-4o-mini", "max_tokens": 40, "messages": [{"role": "user", "content": _WORDS}]}
    return json.dumps(asked | more).encode()


_OK = frozenset({200})
CALLS = (
    Call("plain", 55, _OK, _body()),
    Call("stream", 20, _OK, _body(stream=True, max_tokens=80)),
    Call("stream, left", 5, _OK, _body(stream=True, max_tokens=400), leaves=True),
    Call("translated", 5, _OK, _body(model="claude-sonnet-4-5")),
    Call("unknown key", 5, frozenset({401}), _body(), known=False),
    Call("unknown model", 5, frozenset({404}), _body(model="nobodys-model")),
    Call("no JSON", 5, frozenset({400}), b'{"model": '),
)


@dataclass
class Load:
    """Asks at a steady rate for as long as it is told; what was answered is counted by kind and status."""

    stand: Stand
    rate: float
    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    rotated: int = 0
    revoked: int = 0
    late: int = 0  # refused after a revocation had been answered for more than a second: must stay 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _dice: SystemDice = field(default_factory=SystemDice)

    async def run(self, seconds: float) -> None:
        """Ask for so long, then let what is open end."""
        until = time.monotonic() + seconds
        await asyncio.gather(
            self._ask(until),
            self._every(_ROTATE_EVERY, until, self._rotate),
            self._every(_REVOKE_EVERY, until, self._revoke),
        )
        if self._open:
            await asyncio.wait(self._open, timeout=60)

    async def _ask(self, until: float) -> None:
        kinds = [call for call in CALLS for _ in range(call.share)]
        due = time.monotonic()
        number = 0
        while (now := time.monotonic()) < until:
            while due <= now:
                due += 1 / self.rate
                number += 1
                if len(self._open) < _MOST_OPEN:
                    self._start(kinds[number * 37 % len(kinds)])
                else:
                    self.wrong["not asked: too many open"] += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _start(self, call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._call(call))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _call(self, call: Call) -> None:
        keys = self.stand.live
        key = keys[int(self._dice.uniform(0, len(keys) - 1e-9))][1] if call.known else _STRANGER
        try:
            async with asyncio.timeout(_PATIENCE):
                status = await self._exchange(call, key)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.wrong[f"{call.name}: {type(error).__name__}"] += 1
            return
        self.counts[f"{call.name}: {status}"] += 1
        if status not in call.expected:
            self.wrong[f"{call.name}: {status}"] += 1

    async def _exchange(self, call: Call, key: str) -> int:
        reader, writer = await asyncio.open_connection(*self.stand.gateway)
        try:
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n"
                b"content-type: application/json\r\nauthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
                % (key.encode(), len(call.body), call.body)
            )
            status = int((await reader.readline()).split()[1])
            if call.leaves:
                for _ in range(_LEFT_AFTER):
                    await reader.read(65536)
                return status
            while await reader.read(65536):
                pass
            return status
        finally:
            writer.close()

    async def _every(self, seconds: float, until: float, act: Callable[[], Awaitable[None]]) -> None:
        while time.monotonic() + seconds < until:
            await asyncio.sleep(seconds)
            try:
                await act()
            except OSError as error:
                self.wrong[f"{act.__name__}: {error}"] += 1

    async def _rotate(self) -> None:
        """Another secret for the oldest key; the former one works on for a while, as calls under way need it."""
        name, _ = self.stand.live.pop(0)
        told = await asyncio.to_thread(self.stand.api, "POST", f"/api/v1/keys/{name}/rotate", {"grace": "1m"})
        self.rotated += 1
        await asyncio.sleep(1.0)  # until each worker has heard of it
        self.stand.live.append((name, str(told["secret"])))

    async def _revoke(self) -> None:
        """The oldest key ends once nobody asks with it any more, and a new one begins."""
        name, secret = self.stand.live.pop(0)
        fresh = await asyncio.to_thread(self.stand.make_key)
        await asyncio.to_thread(self.stand.api, "POST", f"/api/v1/keys/{name}/revoke", {"reason": "soak"})
        self.revoked += 1
        await asyncio.sleep(1.0)
        status = await self._exchange(CALLS[0], secret)
        self.counts[f"revoked key: {status}"] += 1
        self.late += status != 401
        self.stand.live.append(fresh)
