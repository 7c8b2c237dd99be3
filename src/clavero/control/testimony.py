"""What an export of the audit trail proves to anybody, without this database and without clavero's word.

One JSON object a line: who may sign, then rows in their order, then checkpoints. A proof of one row is the same with
one row and the checkpoint that names it. Whoever wants to be sure of the signer compares its public key with one that
was noted elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control.checkpoints import epoch_of
from clavero.domain.audit import AuditRow, as_written
from clavero.domain.checkpoints import RESTORE, Checkpoint, Finding, Flaw, Walk, bad_checkpoint, signed_hashes
from clavero.vault.signing import Trusted

VERSION = 1
_PAGE = 1000


class Preface(Struct, frozen=True, kw_only=True):
    """The first line: the format, the public keys (hex) that signed, and the one row it is about, where it is one."""

    clavero_audit: int = VERSION
    signers: tuple[str, ...]
    row: int = 0


class BadTestimony(ValueError):
    """A file that is no export; says where."""


class Verdict(Struct, frozen=True):
    """What a file proves: its rows, how many of them were signed, by whom, and what is wrong."""

    rows: int
    signed: int
    signers: tuple[str, ...]
    finding: Finding | None = None


def judge(lines: Iterable[bytes], key: str = "") -> Verdict:
    """Walk an export; with `key` no other signer is believed. `BadTestimony` for a line that cannot be read."""
    numbered = iter(enumerate(lines, 1))
    preface = _preface(numbered)
    rows, checkpoints = _sorted_out(numbered)
    signers = (key,) if key else preface.signers
    try:
        bad = bad_checkpoint(checkpoints, Trusted(signers), whole=not preface.row)
    except ValueError:
        raise BadTestimony("a public key is 64 hex digits") from None
    if preface.row:
        finding = bad or _one(rows, checkpoints, preface.row)
        return Verdict(len(rows), 0 if finding else 1, signers, finding)
    restored = {epoch: row.seq for row in rows if row.action == RESTORE and (epoch := epoch_of(row.reason))}
    signed = signed_hashes(checkpoints, restored) if bad is None else {}
    walk = Walk(signed)
    finding = next((found for page in _pages(rows) if (found := walk.see(page)) is not None), None) or walk.end()
    return Verdict(walk.rows, len(signed), signers, finding or bad)


def _one(rows: Sequence[AuditRow], checkpoints: Sequence[Checkpoint], number: int) -> Finding | None:
    """Whether the one row is as it was written and signed."""
    if len(rows) != 1 or rows[0].seq != number or not as_written(rows[0]):
        return Finding(number, Flaw.ROW)
    signed = signed_hashes(checkpoints, {}).get(number)
    return None if signed == rows[0].hash else Finding(number, Flaw.REWRITTEN)


def _preface(numbered: Iterator[tuple[int, bytes]]) -> Preface:
    _, line = next(numbered, (0, b""))
    try:
        preface = msgspec.json.decode(line, type=Preface)
    except msgspec.MsgspecError:
        raise BadTestimony("the first line is not that of an export of the audit trail") from None
    if preface.clavero_audit != VERSION:
        raise BadTestimony(f"it is of format {preface.clavero_audit}; this clavero knows {VERSION}")
    return preface


def _sorted_out(numbered: Iterable[tuple[int, bytes]]) -> tuple[list[AuditRow], list[Checkpoint]]:
    rows: list[AuditRow] = []
    checkpoints: list[Checkpoint] = []
    for number, line in numbered:
        try:
            fields: dict[str, Any] = msgspec.json.decode(line)
            if "hashes" in fields:
                checkpoints.append(msgspec.convert(fields | {"at_ns": int(fields["at_ns"])}, Checkpoint))
            else:
                fields.pop("at", None)
                rows.append(msgspec.convert(fields | {"at_ns": int(fields["at_ns"])}, AuditRow))
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError):
            raise BadTestimony(f"line {number} is neither a row nor a checkpoint") from None
    return rows, checkpoints


def _pages(rows: Sequence[AuditRow]) -> Iterator[Sequence[AuditRow]]:
    return (rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE))
