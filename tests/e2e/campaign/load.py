"""The callers of a campaign: plain calls and streams, some that leave, one budget near its limit, and overruns.

They run in a thread of their own and never stop for trouble: what breaks is counted and asked again.
"""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.campaign.caller import Broken, Heard, Line

_SORRY = 0.05  # seconds to wait where nobody answered
_REFUSED = 0.1  # where the answer was no
_HI = [{"role": "user", "content": "Hi"}]
_LONG = [{"role": "user", "content": "Say it in 40 words"}]
OVERRUN, OVERRUN_TOKENS = "gpt-4.1-nano", 200  # a model that is billed so much, whatever its cap


@dataclass(frozen=True)
class Part:
    """One kind of caller: whose key, what is asked, how many at once, how long they think in between."""

    name: str
    body: dict[str, Any]
    callers: int
    pause: float
    leave_after: int = 0


PARTS = (
    Part("plain", {"model": "gpt-4o-mini", "max_tokens": 8, "messages": _HI}, 6, 0.02),
    Part("streams", {"model": "gpt-4o-mini", "max_tokens": 60, "stream": True, "messages": _LONG}, 4, 0.02),
    Part("leavers", {"model": "gpt-4o", "max_tokens": 60, "stream": True, "messages": _LONG}, 1, 0.1, 3),
    Part("tight", {"model": "gpt-4o-mini", "max_tokens": 1, "messages": _HI}, 4, 0.04),
    Part("overruns", {"model": OVERRUN, "max_tokens": 1, "messages": _HI}, 1, 0.25),
)
ROOMY = ("plain", "streams", "leavers")  # their budgets always fit


@dataclass(frozen=True)
class Refusal:
    """A refusal for money, with the instants between which it was decided (UTC ns)."""

    part: str
    sent_ns: int
    heard_ns: int
    request_id: str
    source: str


@dataclass
class Tally:
    """What the callers saw."""

    answered: dict[str, str] = field(default_factory=dict)  # request id: part, whole answers
    refused: dict[str, str] = field(default_factory=dict)  # request id: code
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)  # part, code
    refusals: list[Refusal] = field(default_factory=list)  # 429
    broken: int = 0
    left: int = 0
    longest_ns: int = 0  # the longest wait for a whole answer

    @property
    def calls(self) -> int:
        """Answers in all, refusals too."""
        return len(self.answered) + len(self.refused)

    def of(self, *parts: str) -> dict[str, int]:
        """Codes that these parts saw."""
        found: dict[str, int] = {}
        for (part, code), count in self.codes.items():
            if part in parts:
                found[code] = found.get(code, 0) + count
        return found


class Load:
    """All callers at work; `address` may change while they are."""

    def __init__(self, address: str, keys: dict[str, str], *, slower: float = 1.0) -> None:
        self.address = address
        self.tally = Tally()
        self._keys = keys
        self._slower = slower
        self._over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self._thread.start()

    def stop(self) -> Tally:
        """Let everybody finish the call under way."""
        self._over = True
        self._thread.join()
        return self.tally

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for part in PARTS:
                for _ in range(part.callers):
                    group.create_task(self._caller(part))

    async def _caller(self, part: Part) -> None:
        line = Line()
        while not self._over:
            sent = time.time_ns()
            try:
                heard = await line.ask(self.address, self._keys[part.name], part.body, leave_after=part.leave_after)
            except (Broken, TimeoutError):
                self.tally.broken += 1
                await asyncio.sleep(_SORRY)
                continue
            self._note(part, heard, sent, time.time_ns())
            await asyncio.sleep(part.pause * self._slower if heard is None or heard.status == 200 else _REFUSED)
        line.hang_up()

    def _note(self, part: Part, heard: Heard | None, sent: int, now: int) -> None:
        tally = self.tally
        if heard is None:
            tally.left += 1
            return
        tally.longest_ns = max(tally.longest_ns, now - sent)
        if heard.status == 200 and not heard.code:
            tally.answered[heard.request_id] = part.name
            return
        tally.codes[part.name, heard.code] += 1
        tally.refused[heard.request_id] = heard.code
        if heard.status == 429:
            tally.refusals.append(Refusal(part.name, sent, now, heard.request_id, heard.source))
