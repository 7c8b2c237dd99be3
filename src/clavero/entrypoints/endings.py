"""What is said when a worker's boot takes a step, or a call passed its hold: by who reads the journals of a machine."""

from collections.abc import Callable

from clavero.control.reclaim import End, Ended, Told
from clavero.domain.usage import Exchange
from clavero.entrypoints.logs import Log


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
