"""Who is told of the audit trail: the witnesses of its checkpoints, and the collector of its rows."""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from clavero.adapters.witness.bucket import BucketWitness
from clavero.adapters.witness.file import FileWitness
from clavero.adapters.witness.git import GitWitness
from clavero.adapters.witness.mark import FileMark
from clavero.adapters.witness.syslog import SyslogCollector
from clavero.control.checkpoints import Trouble, Witness
from clavero.control.commit import Desk
from clavero.control.follow import Follower
from clavero.domain.witnesses import Place, read_collector, read_witnesses
from clavero.settings import Settings


def witnesses_of(settings: Settings) -> tuple[Witness, ...]:
    """A file beside the database, and wherever the operator wants it as well."""
    beside = FileWitness(settings.data / "audit" / "checkpoints.jsonl")
    named = read_witnesses(settings.audit.witness)
    return (beside, *(_witness(place, settings.audit.s3_endpoint) for place in named))


def followers_of(settings: Settings, desk: Desk, said: Callable[[Trouble], None]) -> list[Follower]:
    """Who tells rows to a collector; none where no collector is named."""
    collector = read_collector(settings.audit.syslog)
    if collector is None:
        return []
    mark = FileMark(settings.data / "audit" / "told.json")
    return [Follower(desk, SyslogCollector(collector), mark, said)]


def _witness(place: Place, endpoint: str) -> Witness:
    match place.kind:
        case "file":
            return FileWitness(Path(place.where))
        case "git":
            return GitWitness(Path(place.where))
        case "s3":
            return BucketWitness(place.where, endpoint)
        case kind:
            assert_never(kind)
