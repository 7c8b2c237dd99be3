"""The certificate in a process that listens: what it was handed at its start, and what SIGHUP finds later."""

from typing import Any

from clavero.entrypoints.certificates import SOON_DAYS, Served
from clavero.entrypoints.exposure import files_of
from clavero.entrypoints.logs import Log
from clavero.entrypoints.processes import Instructions, on_reload
from clavero.ports.clock import Clock


def certificate_of(instructions: Instructions, clock: Clock, log: Log) -> Served | None:
    """What this process shows to callers, read again on SIGHUP; None without TLS."""
    if instructions.pair is None:
        return None
    served = Served(instructions.pair, files_of(instructions.settings), clock)

    def reload() -> None:
        if served.reload():
            log.say("certificate_reloaded", **_facts(served))
        else:
            log.say("certificate_kept", "error", problem=served.problem, **_facts(served))
        warn()

    def warn() -> None:
        wrong, days = served.pair.wrong(clock.wall_ns()), served.days_left()
        if wrong or days < SOON_DAYS:
            log.say("certificate_ends", "warning", problem=wrong or "it ends soon", **_facts(served))

    on_reload(reload)
    warn()
    return served


def _facts(served: Served) -> dict[str, Any]:
    return {"names": ", ".join(served.pair.names), "days_left": round(served.days_left(), 1)}
