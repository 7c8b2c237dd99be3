"""The audit trail: one row for each change, each row bound to the one before it by its hash.

The hash is SHA-256 over the RFC 8785 form of the row without its own hash; whoever changes, drops, inserts or swaps a
row breaks the chain at the first row that was touched.
"""

import hashlib
from collections.abc import Iterable

import msgspec
import rfc8785
from msgspec import Struct

BEGINNING = "0" * 64  # the hash before the first row


class AuditRow(Struct, frozen=True, kw_only=True):
    """Who did what to which object, when, from where and why. Digests are of it before and after; "" is none."""

    seq: int
    at_ns: int
    actor: str
    actor_kind: str
    session: str = ""
    level: str = ""
    address: str = ""
    action: str
    object_kind: str
    object_id: str
    before: str = ""
    after: str = ""
    reason: str = ""
    request_id: str = ""
    previous: str = BEGINNING
    hash: str = ""


def link(row: AuditRow, previous: str) -> AuditRow:
    """The row, bound to the hash of the one before it."""
    bound = msgspec.structs.replace(row, previous=previous, hash="")
    return msgspec.structs.replace(bound, hash=_hash(bound))


def first_bad(rows: Iterable[AuditRow], previous: str = BEGINNING, seq: int = 0) -> int | None:
    """The sequence number of the first row that is not as it was written; None where all are."""
    for row in rows:
        seq += 1
        if row.seq != seq or row.previous != previous or not as_written(row):
            return seq
        previous = row.hash
    return None


def as_written(row: AuditRow) -> bool:
    """Whether a row has the hash of its own content."""
    return row.hash == _hash(msgspec.structs.replace(row, hash=""))


def digest(thing: Struct | None) -> str:
    """A digest of an object; "" for none. Sealed and hashed fields are part of it: they tell nothing."""
    if thing is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(thing, order="deterministic")).hexdigest()


def digest_of(digests: list[str]) -> str:
    """One digest for several."""
    return hashlib.sha256("\0".join(digests).encode()).hexdigest()


def _hash(row: AuditRow) -> str:
    fields = msgspec.to_builtins(row)
    fields["at_ns"] = str(row.at_ns)  # RFC 8785 numbers are doubles: nanoseconds since 1970 do not fit
    return hashlib.sha256(rfc8785.dumps(fields)).hexdigest()
