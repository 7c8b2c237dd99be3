"""The bank: carries the money talks of this worker, one at a time (L11), and wakes who waits for them.

Waiting costs a future each; an exchange whose money is at hand never comes here. The ledger clock is the database's
time carried on by this machine's monotonic one, and never goes back (L21).
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, TypeVarTuple

from clavero.domain.budgets import Budget
from clavero.domain.errors import BudgetBusy, LedgerUnavailable
from clavero.domain.ledger import Fenced, Terms
from clavero.gateway.leases import NO_PURSE, Leases, Purse, Refused, Waiter
from clavero.ports.clock import Clock
from clavero.ports.journal import Journal
from clavero.ports.ledger import Lender

PATIENCE_NS: Final = 1_000_000_000  # proof is had within this, or the answer is 503 (L18)
STALE_SECONDS: Final = 15 * 60.0  # without a good talk for so long, no new holds (L23)
_HEARTBEAT_SECONDS = 1.0
_LENT_SECONDS = 0.4  # between two talks while slices are here: others who want them wait a second at most
_AGAIN_SECONDS = 0.02  # between two talks while anybody waits for proof, or for the database


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Bank:
    """Leases with a way to the database; every other part of a worker comes here for money."""

    def __init__(
        self, lender: Lender, journal: Journal, leases: Leases, clock: Clock, stale_seconds: float = STALE_SECONDS
    ) -> None:
        self.leases = leases
        self.latest_ns = 0  # the latest instant that the ledger clock has told
        self.fenced = False  # the database has given this boot up: finish, seal and exit (L24)
        self._lender = lender
        self._journal = journal
        self._clock = clock
        self._stale_ns = int(stale_seconds * 1e9)
        self._thread = ThreadPoolExecutor(1, "bank")
        self._futures: dict[str, asyncio.Future[None]] = {}
        self._wake = asyncio.Event()
        self._good_ns = clock.monotonic_ns()
        self._offset_ns = clock.wall_ns() - clock.monotonic_ns()
        self._away = False
        self._closing = False
        self._running: asyncio.Task[None] | None = None

    async def register(self, worker: str) -> int:
        """Make this boot known before its first borrow (L1); returns the incarnation. `ConnectionError`, `Fenced`."""
        self._good_ns = self._clock.monotonic_ns()
        incarnation = await self._in_thread(self._lender.register, self.leases.boot, worker)
        self.leases.incarnation = incarnation
        return incarnation

    def start(self) -> None:
        """Begin to talk."""
        self._running = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Give every free slice back in a last talk, then stop."""
        self._closing = True
        self._wake.set()
        if self._running is not None:
            await self._running
        await self._in_thread(self._lender.close)
        self._thread.shutdown(wait=True)

    def now_ns(self) -> int:
        """The ledger clock, UTC nanoseconds: which window an exchange pays (L21)."""
        self.latest_ns = max(self.latest_ns, self._clock.monotonic_ns() + self._offset_ns)
        return self.latest_ns

    def open(self, budgets: tuple[Budget, ...]) -> Purse:
        """The rows that a call of now pays; `LedgerUnavailable` while it could not be paid (L23, L24)."""
        now = self._clock.monotonic_ns()
        if self.fenced or (budgets and now - self._good_ns > self._stale_ns):
            raise LedgerUnavailable(retry_after=1)
        now += self._offset_ns
        if now > self.latest_ns:  # noqa: PLR1730 - `max` costs three times as much here
            self.latest_ns = now
        return self.leases.purse(budgets, self.latest_ns) if budgets else NO_PURSE

    def take(self, purse: Purse, amount: int) -> bool:
        """Take what is at hand; False where it has to be waited for."""
        leases = self.leases
        taken = leases.take(purse, amount)
        if leases.thirsty:
            self._wake.set()
        return taken

    async def wait(self, request_id: str, purse: Purse, amount: int) -> Purse | Refused:
        """Wait until all of it is taken or refused with proof.

        `BudgetBusy` where neither is had in time, `LedgerUnavailable` where the database is away.
        """
        waiter = Waiter(request_id, purse, amount)
        loop = asyncio.get_running_loop()
        future = self._futures[request_id] = loop.create_future()
        timer = loop.call_later(PATIENCE_NS / 1e9, _end, future)
        self.leases.wait(waiter)
        self._wake.set()
        try:
            await future
        except BaseException:
            if waiter.done is True:  # granted in the very moment that the caller left
                self.leases.give_back(waiter.purse, amount)
            raise
        finally:
            timer.cancel()
            self._futures.pop(request_id, None)
            self.leases.leave(waiter)
        return self._outcome(waiter)

    # --- inside

    def _outcome(self, waiter: Waiter) -> Purse | Refused:
        if waiter.done is True:
            return waiter.purse
        if isinstance(waiter.done, Refused):
            return waiter.done
        if self._away or self.fenced:
            raise LedgerUnavailable(retry_after=1)
        raise BudgetBusy(budget=(waiter.waits_on or waiter.purse.keys[0]).budget, retry_after=1)

    async def _run(self) -> None:
        while not self.fenced:
            last = self._closing
            await self._talk(last=last)
            if last:
                break
            if self._away:
                await asyncio.sleep(_AGAIN_SECONDS)
            if not self._wake.is_set() and not self.leases.urgent:
                await self._pause()
            self._wake.clear()
        self._release(list(self.leases.waiting.values()))

    async def _pause(self) -> None:
        leases = self.leases
        haste = leases.waiting or leases.wanted
        seconds = _AGAIN_SECONDS if haste else _LENT_SECONDS if leases.lent else _HEARTBEAT_SECONDS
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        timer.cancel()

    async def _talk(self, *, last: bool) -> None:
        sent_ns = self._clock.monotonic_ns()  # counted from before it was sent (L23)
        talk = self.leases.talk(self._journal.written, self.now_ns(), last=last)
        try:
            terms = await self._in_thread(self._lender.talk, talk)
        except ConnectionError:
            self._away = True
        except Fenced:
            self.fenced = True
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would ever talk again
            self._away = True
            asyncio.get_running_loop().call_exception_handler({"message": "a money talk failed", "exception": error})
        else:
            self._heard(terms, sent_ns)

    def _heard(self, terms: Terms, sent_ns: int) -> None:
        self._away = False
        self._good_ns = sent_ns
        self._offset_ns = terms.now_ns - sent_ns
        self._release(self.leases.hear(terms))

    def _release(self, waiters: Iterable[Waiter]) -> None:
        for waiter in waiters:
            future = self._futures.get(waiter.request_id)
            if future is not None:
                _end(future)

    async def _in_thread(self, call: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


def _end(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
