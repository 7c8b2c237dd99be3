"""How a database that went back in time is told from one that did not (L31).

Beside the database, in the data directory, stands how far it had come: its newest audit row, and how much of the
journals it had read. A database that says less than that, or another history, was brought back from a copy, whoever
did it and however. Each restore begins an epoch; what stands beside it says in which one this machine's journals
have been read.
"""

from enum import Enum

from msgspec import Struct


class Mark(Struct, frozen=True):
    """How far a database has come: everything here only ever grows."""

    instance: str
    epoch: int
    audit_seq: int
    audit_hash: str
    consumed: int  # bytes of all journals that were read


class Look(Struct, frozen=True):
    """The database now, and what is kept beside it; `then_hash` is what its row of the kept number has today."""

    found: Mark
    kept: Mark | None
    then_hash: str = ""


class Standing(Enum):
    """What a look tells."""

    SAME = "same"  # the history that this machine knows, and maybe more of it
    NEW = "new"  # nothing is kept here, or another epoch: this machine's journals have not been read into it
    BACK = "back"  # it went back in time, and nobody has said so yet


def standing(look: Look) -> Standing:
    """Whether money may be granted (SAME), and who has to do what first."""
    found, kept = look.found, look.kept
    if kept is None or kept.instance != found.instance or kept.epoch < found.epoch:
        return Standing.NEW
    if kept.epoch > found.epoch or found.audit_seq < kept.audit_seq or found.consumed < kept.consumed:
        return Standing.BACK
    return Standing.SAME if kept.audit_seq == 0 or look.then_hash == kept.audit_hash else Standing.BACK
