"""What is said when a worker's boot takes a step: by whoever reads the journals of a machine."""

from clavero.control.reclaim import End, Ended, Told
from clavero.entrypoints.logs import Log


def teller(log: Log) -> Told:
    """Says what became of a boot; one whose everything is back is no warning."""

    def told(ended: Ended) -> None:
        whole = ended.end is End.CLOSED
        facts = {"boot": str(ended.boot), "end": ended.end.value, "reason": ended.reason}
        log.say("boot_closed" if whole else "worker_lost", "info" if whole else "warning", **facts)

    return told
