"""Checkpoints of the audit trail: what its rows came to, signed and kept where the database's owner cannot reach.

The chain of hashes alone shows a row that was touched. It does not show a trail that was written anew from some row on,
was cut at its end, or was put back to an older state: whoever holds the database can make such a trail whole again. A
checkpoint names the hash of every row since the one before it, so that even then the first bad row is known.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec
import rfc8785
from msgspec import Struct
from msgspec.structs import replace

from clavero.domain.audit import BEGINNING, AuditRow, first_bad

RESTORE = "db.restore"  # the action of the row that a restored database begins anew with

Trusts = Callable[[str, bytes, bytes], bool]  # signer, statement, signature


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The rows up to `seq`: `hashes` are those since the checkpoint before, oldest first, and `previous` is its digest.

    `epoch` counts the restores of the database; `signer` is an Ed25519 public key and `signature` its word, both hex.
    """

    seq: int
    at_ns: int
    instance: str
    epoch: int = 1
    hashes: tuple[str, ...] = ()
    previous: str = BEGINNING
    signer: str = ""
    signature: str = ""

    @property
    def first(self) -> int:
        """The number of the first row that it names."""
        return self.seq - len(self.hashes) + 1


class Flaw(StrEnum):
    """What can be wrong with a trail or its checkpoints."""

    ROW = "row"  # altered, missing, added or moved: the chain breaks here
    REWRITTEN = "rewritten"  # the chain is whole, and is another than the one that was signed
    CUT = "cut"  # rows that were signed are not there any more
    SIGNATURE = "signature"  # a checkpoint that nobody who is trusted has signed
    WITNESS = "witness"  # checkpoints are missing, added or moved


class Finding(Struct, frozen=True):
    """The first bad row, and what is wrong there."""

    row: int
    flaw: Flaw


def statement(checkpoint: Checkpoint) -> bytes:
    """What is signed: the RFC 8785 form of all but the signature."""
    fields = msgspec.to_builtins(replace(checkpoint, signature=""))
    fields["at_ns"] = str(checkpoint.at_ns)  # these numbers are doubles there: nanoseconds do not fit
    return rfc8785.dumps(fields)


def digest(checkpoint: Checkpoint) -> str:
    """What the next checkpoint says of this one."""
    return hashlib.sha256(statement(checkpoint) + checkpoint.signature.encode()).hexdigest()


def bad_checkpoint(checkpoints: Iterable[Checkpoint], trusts: Trusts, *, whole: bool = True) -> Finding | None:
    """The first checkpoint that is not to be believed, by the first row it names; None where all are.

    Not `whole`: a few of them are shown, so that those around them may be missing.
    """
    before: Checkpoint | None = None
    for one in checkpoints:
        if not trusts(one.signer, statement(one), bytes.fromhex(one.signature) if _is_hex(one.signature) else b""):
            return Finding(one.first, Flaw.SIGNATURE)
        if not whole:
            continue
        if one.previous != (digest(before) if before is not None else BEGINNING):
            return Finding(one.first, Flaw.WITNESS)
        if before is not None and one.epoch == before.epoch and one.first != before.seq + 1:
            return Finding(one.first, Flaw.WITNESS)
        before = one
    return None


def signed_hashes(checkpoints: Iterable[Checkpoint], restored: Mapping[int, int]) -> dict[int, str]:
    """The hash that was signed for each row that must still be there.

    `restored` gives, by epoch, the number of the row that says the database was put back and this epoch began. What was
    signed in an earlier epoch for that row or a later one was replaced by the restore, which the trail itself tells.
    """
    hashes: dict[int, str] = {}
    for one in checkpoints:
        until = min((row for epoch, row in restored.items() if epoch > one.epoch), default=one.seq + 1)
        for number, signed in enumerate(one.hashes, one.first):
            if number < until:
                hashes.setdefault(number, signed)  # what was said first counts
    return hashes


class Walk:
    """Rows are shown to it page by page, from the first; it says where they are not what was written and signed."""

    def __init__(self, signed: Mapping[int, str]) -> None:
        self._signed = signed
        self._last = max(signed, default=0)
        self.rows = 0
        self.head = BEGINNING

    def see(self, rows: Sequence[AuditRow]) -> Finding | None:
        """The first bad row of a page."""
        bad = first_bad(rows, self.head, self.rows)
        for row in rows:
            if row.seq == bad:
                break
            if self._signed.get(row.seq, row.hash) != row.hash:
                return Finding(row.seq, Flaw.REWRITTEN)
        if bad is not None:
            return Finding(bad, Flaw.ROW)
        if rows:
            self.rows, self.head = rows[-1].seq, rows[-1].hash
        return None

    def end(self) -> Finding | None:
        """What is missing behind the last row."""
        return Finding(self.rows + 1, Flaw.CUT) if self.rows < self._last else None


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(letter in "0123456789abcdef" for letter in text)
