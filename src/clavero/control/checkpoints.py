"""The notary of the audit trail: signs what it came to, gives that to every witness, and judges the trail by it.

A trail that does not go on from what was signed is never signed again: a notary that signed what it finds would make
a forged trail whole.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.domain.access import SYSTEM
from clavero.domain.audit import BEGINNING, AuditRow, first_bad
from clavero.domain.checkpoints import (
    RESTORE,
    Checkpoint,
    Finding,
    Flaw,
    Walk,
    bad_checkpoint,
    digest,
    signed_hashes,
    statement,
)
from clavero.domain.refusals import StorageUnavailable
from clavero.domain.sealing import Purpose
from clavero.ports.store import Reading
from clavero.vault.signing import Signer, Trusted

EVERY_SECONDS = 60.0
MOST_ROWS = 1000  # that one checkpoint names
_PAGE = 1000
_EPOCH = re.compile(r"\bepoch (\d{1,9})\b", re.ASCII)  # as the row of a restore tells it


class Witness(Protocol):
    """Keeps what was signed, best where the database's owner cannot reach. Blocking."""

    name: str

    def keep(self, checkpoint: Checkpoint) -> None:
        """Add one behind the last; `OSError` where it cannot be kept now."""
        ...

    def all(self) -> Iterator[Checkpoint]:
        """Every one, oldest first; `OSError` or `ValueError` where they cannot be read."""
        ...

    def newest(self) -> Checkpoint | None:
        """The last one; fails like `all`."""
        ...


class Trouble(Struct, frozen=True):
    """Why nothing was signed, or which witness kept nothing: `what` is a code, `detail` for people."""

    what: str
    detail: str


class Proof(Struct, frozen=True):
    """What a walk through the whole trail found; `signed` is the last row that a witness vouches for."""

    rows: int
    signed: int
    finding: Finding | None = None
    witness: str = ""  # where the finding is a witness's
    restored: tuple[int, ...] = ()  # rows that say the database was put back


@operation("audit.create_signing_key")
async def create_signing_key(change: Changing) -> None:
    """A key to sign checkpoints with, where the vault has none."""
    keyring = await change.desk.vault.keyring(change)
    if not keyring.signing_keys():
        await change.put(keyring.add(Purpose.SIGNING, change.desk.dice.token, change.now_ns))


class Notary:
    """Signs every minute, or every thousand rows; `told` hears of trouble, once for each that is new."""

    def __init__(self, desk: Desk, witnesses: Sequence[Witness], told: Callable[[Trouble], None]) -> None:
        self._desk = desk
        self._witnesses = witnesses
        self._told = told
        self._newest: Checkpoint | None = None
        self._behind: dict[str, list[Checkpoint]] = {one.name: [] for one in witnesses}
        self._trouble: Trouble | None = None
        self._recalled = False  # every witness was read

    async def open(self) -> None:
        """Make the signing key at a first start; read what was signed last, and find what each witness lacks."""
        async with self._desk.store.read() as look:
            known = (await self._desk.vault.keyring(look)).signing_keys()
        if not known:
            await perform(self._desk, SYSTEM, create_signing_key)
        await self._recall()

    async def _recall(self) -> bool:
        """Whether every witness said where it is: nothing is signed behind what cannot be read."""
        try:
            newest = {one.name: await asyncio.to_thread(one.newest) for one in self._witnesses}
            ahead = max(self._witnesses, key=lambda one: _place(newest[one.name]), default=None)
            if ahead is not None:
                self._newest = newest[ahead.name]
                self._behind = await asyncio.to_thread(_lacks, newest, ahead)
        except (OSError, ValueError) as error:
            self._say(Trouble("witness_failed", str(error)))
            return False
        self._recalled = True
        return True

    async def forever(self) -> None:
        """Sign again and again; a database that is away is asked again."""
        while True:
            full = False
            try:
                made = await self.sign()
                full = made is not None and len(made.hashes) == MOST_ROWS
            except StorageUnavailable:
                pass
            if not full:
                await asyncio.sleep(EVERY_SECONDS)

    async def last(self) -> None:
        """Sign what is left before the end; a database that is away keeps nobody from ending."""
        with contextlib.suppress(StorageUnavailable):
            await self.sign()

    async def sign(self) -> Checkpoint | None:
        """Sign what the trail came to since the last time, and keep it; None where nothing is new or to be trusted."""
        if not (self._recalled or await self._recall()):
            return None
        async with self._desk.store.read() as look:
            made = await self._made(look)
        if isinstance(made, Finding):
            self._say(Trouble("audit_broken", f"row {made.row}: {made.flaw.value}"))
            return None
        if made is not None:
            self._newest = made
            for behind in self._behind.values():
                behind.append(made)
        await self._keep()
        return made

    async def _made(self, look: Reading) -> Checkpoint | Finding | None:
        """The next checkpoint, or why there can be none."""
        meta = {str(row["name"]): str(row["value"]) for row in await look.rows("meta")}
        epoch, before = int(meta["epoch"]), self._newest
        after, head = 0, BEGINNING
        if before is not None and before.epoch == epoch:
            after, head = before.seq, before.hashes[-1]
            seen = [AuditRow(**row) for row in await look.rows("audit_since", after=after - 1, most=1)]
            if not seen or seen[0].hash != head:
                return Finding(after, Flaw.REWRITTEN if seen else Flaw.CUT)
        rows = [AuditRow(**row) for row in await look.rows("audit_since", after=after, most=MOST_ROWS)]
        if not rows:
            return None
        if (bad := first_bad(rows, head, after)) is not None:
            return Finding(bad, Flaw.ROW)
        signer = Signer((await self._desk.vault.keyring(look)).signing_keys())
        made = Checkpoint(
            seq=rows[-1].seq, at_ns=self._desk.clock.wall_ns(), instance=meta["instance"], epoch=epoch,
            hashes=tuple(row.hash for row in rows), signer=signer.public,
            previous=digest(before) if before is not None else BEGINNING,
        )  # fmt: skip
        return replace(made, signature=signer.sign(statement(made)))

    async def _keep(self) -> None:
        """Give every witness what it lacks; one that cannot take it now keeps no other waiting."""
        failed: Trouble | None = None
        for witness in self._witnesses:
            behind = self._behind[witness.name]
            try:
                while behind:
                    await asyncio.to_thread(witness.keep, behind[0])
                    behind.pop(0)
            except OSError as error:
                failed = failed or Trouble("witness_failed", f"{witness.name}: {error.strerror or error}")
        if failed is not None:
            self._say(failed)
        else:
            self._trouble = None

    def _say(self, trouble: Trouble) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._told(trouble)


async def prove(desk: Desk, witnesses: Sequence[Witness]) -> Proof:
    """Walk the trail from its first row, and hold it against what each witness has."""
    signed: dict[int, str] = {}
    bad: tuple[Finding, str] | None = None
    async with desk.store.read() as look:
        trusted = Trusted(await signers(desk, look))
        restored = await restores(look)
        for witness in witnesses:
            kept, found = await _heard(witness, trusted)
            if found is None:
                signed = signed_hashes(kept, restored) | signed
            elif bad is None:
                bad = found, witness.name
        walk = Walk(signed)
        finding = await _walked(look, walk)
    last, rows = max(signed, default=0), tuple(sorted(restored.values()))
    if finding is None and bad is not None:
        return Proof(walk.rows, last, bad[0], bad[1], rows)
    return Proof(walk.rows, last, finding, "", rows)


async def signers(desk: Desk, look: Reading) -> frozenset[str]:
    """The public keys of all who ever signed here; none before the first signing key is made."""
    seeds = (await desk.vault.keyring(look)).signing_keys()
    return Signer(seeds).all if seeds else frozenset()


async def _heard(witness: Witness, trusted: Trusted) -> tuple[list[Checkpoint], Finding | None]:
    """What a witness says, and why that is not to be believed."""
    try:
        kept = await asyncio.to_thread(_all_of, witness)
    except (OSError, ValueError):
        return [], Finding(1, Flaw.WITNESS)
    return kept, bad_checkpoint(kept, trusted)


async def signed_by(desk: Desk, witnesses: Sequence[Witness]) -> tuple[list[str], list[Checkpoint]]:
    """The public keys to believe (hex), and what the first witness keeps."""
    async with desk.store.read() as look:
        known = sorted(await signers(desk, look))
    return known, await asyncio.to_thread(_all_of, witnesses[0]) if witnesses else []


async def restores(look: Reading) -> dict[int, int]:
    """The rows that say the database was put back, by the epoch that began with them."""
    rows = await look.rows("audit_restores", action=RESTORE)
    told = ((epoch_of(str(row["reason"])), int(row["seq"])) for row in rows)
    return {epoch: seq for epoch, seq in told if epoch}


def epoch_of(reason: str) -> int:
    """The epoch that began with a restore, as its row tells it; 0 where it does not."""
    found = _EPOCH.search(reason)
    return int(found[1]) if found is not None else 0


async def _walked(look: Reading, walk: Walk) -> Finding | None:
    while True:
        rows = [AuditRow(**row) for row in await look.rows("audit_since", after=walk.rows, most=_PAGE)]
        if (found := walk.see(rows)) is not None:
            return found
        if not rows:
            return walk.end()


def _place(checkpoint: Checkpoint | None) -> tuple[int, int]:
    return (checkpoint.epoch, checkpoint.seq) if checkpoint is not None else (0, 0)


def _lacks(newest: Mapping[str, Checkpoint | None], ahead: Witness) -> dict[str, list[Checkpoint]]:
    """What each witness lacks of what the one has that is farthest ahead."""
    behind = {name for name, one in newest.items() if one != newest[ahead.name]}
    whole = list(ahead.all()) if behind else []
    return {name: [one for one in whole if _place(one) > _place(newest[name])] for name in newest}


def _all_of(witness: Witness) -> list[Checkpoint]:
    return list(witness.all())
