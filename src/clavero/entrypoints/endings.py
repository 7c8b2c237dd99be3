"""What is said when a worker's boot takes a step, or a call passed its hold: by who reads the journals of a machine."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from clavero.control.reclaim import End, Ended, Told
from clavero.control.recovery import Recovered, Recovery
from clavero.control.restoring import account
from clavero.domain.usage import Exchange
from clavero.entrypoints.logs import Log

_LOOK_SECONDS = 1.0


def teller(log: Log) -> Told:
    """Says what became of a boot; one whose everything is back is no warning."""

    def told(ended: Ended) -> None:
        whole = ended.end is End.CLOSED
        facts = {"boot": str(ended.boot), "end": ended.end.value, "reason": ended.reason}
        log.say("boot_closed" if whole else "worker_lost", "info" if whole else "warning", **facts)

    return told


def alarm(log: Log) -> Callable[[Exchange], None]:
    """Says that a provider billed above the hold: somebody has a price or a cap to mend."""

    def told(it: Exchange) -> None:
        money = {"held_nano_usd": it.held_n, "cost_nano_usd": it.cost_n}
        log.say("overrun", "warning", request_id=it.request_id, provider=it.provider, model=it.model_served, **money)

    return told


async def watch_epoch(recovery: Recovery, log: Log, end: Callable[[int], object] = os._exit) -> None:
    """Keep beside the database how far it has come; end this process where it went back in time under our feet.

    A server that failed over to a copy has done so. Whoever begins anew reads the journals again before it posts.
    """
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        with contextlib.suppress(ConnectionError):
            if not await asyncio.to_thread(recovery.is_same):
                log.say("database_went_back", "error")
                end(1)
                return


def told_again(log: Log, recovered: Recovered) -> None:
    """Says what was read again after a restore, and each gap that an operator should know of."""
    for gap in recovered.gaps:
        log.say("journal_gap", "warning", boot=str(gap.boot), reason=gap.reason)
    if recovered.is_restore:
        log.say("database_restored", "warning", told=account(recovered))
