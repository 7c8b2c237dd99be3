"""The file `epoch` in the data directory beside the marks of the database, and what a restored database needs of both.

Workers load this too, before they register: who was brought back in time lends nothing until its journals are read.
"""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Database
from clavero.domain.audit import BEGINNING
from clavero.domain.epochs import Look, Mark
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.pins import Pin

FILE: Final = "epoch"
_NEVER_ALL: Final = (
    1 << 62
) - 1  # bytes that no journal has: a boot with a gap is closed as incomplete, whoever closes it

_META: Final = Statement("SELECT name, value FROM meta WHERE name = 'instance' OR name = 'epoch'")
_HEAD: Final = Statement("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
_THEN: Final = Statement("SELECT hash FROM audit WHERE seq = :seq")
_CONSUMED: Final = Statement("SELECT CAST(coalesce(sum(consumed), 0) AS bigint) FROM boot")
_EPOCH: Final = Statement("UPDATE meta SET value = :next WHERE name = 'epoch' AND value = :now_is")
_FENCE: Final = Statement("UPDATE boot SET incarnation = incarnation + 1 WHERE 1 = 1")
_KNOWN: Final = Statement("SELECT boot_id FROM boot WHERE boot_id IN {ids}")
_ADOPT: Final = Statement(
    """INSERT INTO boot (boot_id, worker, incarnation, state, heartbeat, kernel_boot, home, durable, sealed)
    SELECT :boot, '', coalesce(max(incarnation), 1), 'lost', {now}, :kernel_boot, :home, :durable, :no
    FROM boot WHERE 1 = 1 ON CONFLICT (boot_id) DO NOTHING"""
)
_SKIP: Final = Statement(
    """UPDATE boot SET seg = :seg, off = :off, tail = :tail
    WHERE boot_id = :boot AND seg = :from_seg AND off = :from_off AND state <> 'closed'"""
)
_PINS: Final = Statement("SELECT value FROM meta WHERE substr(name, 1, 7) = 'backup/'")
_POSITIONS: Final = Statement("SELECT boot_id, seg FROM boot WHERE state <> 'closed'")
_PIN: Final = Statement("INSERT INTO meta (name, value) VALUES (:name, :value)")
_UNPIN: Final = Statement("DELETE FROM meta WHERE name = :name")
_NOW: Final = Statement("SELECT {now}")
_EXCESS: Final = Statement("SELECT CAST(coalesce(sum(excess), 0) AS bigint) FROM ledger WHERE state <> 'archived'")
_ids = msgspec.json.Encoder()
_mark = msgspec.json.Decoder(Mark)
_pin = msgspec.json.Decoder(Pin)
_DAY_NS: Final = 24 * 3600 * 1_000_000_000


class Epochs:
    """One data directory and one database; blocking. `ConnectionError` where the database is away."""

    def __init__(self, file: Path, database: Database) -> None:
        self._file = file
        self._database = database

    def look(self) -> Look:
        """The database as it is, and what is kept beside it."""
        kept = self.kept()
        with self._database.transaction(write=False) as session:
            meta = dict(session.rows(_META, {}))
            head = session.rows(_HEAD, {})
            [(consumed,)] = session.rows(_CONSUMED, {})
            then = session.rows(_THEN, {"seq": kept.audit_seq}) if kept is not None else []
        seq, digest = head[0] if head else (0, BEGINNING)
        found = Mark(str(meta["instance"]), int(meta["epoch"]), int(seq), str(digest), int(consumed))
        return Look(found, kept, str(then[0][0]) if then else "")

    def keep(self, mark: Mark) -> None:
        """Write beside the database how far it has come, whole or not at all."""
        draft = self._file.with_name(f".{self._file.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(mark))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(self._file)

    def begin(self, now_is: int, following: int) -> bool:
        """Begin a later epoch and fence every boot that lives; False where somebody else has."""
        with self._database.transaction() as session:
            if not session.change(_EPOCH, {"now_is": str(now_is), "next": str(following)}):
                return False
            session.change(_FENCE, {})
        return True

    def adopt(self, boots: Collection[BootId], place: Place) -> list[BootId]:
        """Register journals that the database does not know: they are read, and never lent to. Returns them."""
        with self._database.transaction() as session:
            known = {name for (name,) in session.rows(_KNOWN, {"ids": _ids.encode(sorted(boots)).decode()})}
            unknown = sorted(set(boots) - known)
            for boot in unknown:
                values = {"boot": boot, "kernel_boot": place.kernel_boot, "home": place.home, "durable": place.durable}
                session.change(_ADOPT, {**values, "no": False})
        return unknown

    def skip(self, boot: BootId, at: Position, to: Position) -> None:
        """Go on behind a gap; what lay in it is unknown, so what the boot still has of its budgets stays lost (L29)."""
        with self._database.transaction() as session:
            values = {"boot": boot, "seg": to.seg, "off": to.off, "from_seg": at.seg, "from_off": at.off}
            session.change(_SKIP, {**values, "tail": _NEVER_ALL})

    def excess(self) -> int:
        """What is committed beyond limits, nano-USD."""
        with self._database.transaction(write=False) as session:
            return int(session.rows(_EXCESS, {})[0][0])

    def pins(self, days: float) -> list[Pin]:
        """The backups of the last days: what their restore would have to read stays on the disk."""
        with self._database.transaction(write=False) as session:
            [(now,)] = session.rows(_NOW, {})
            found = [_pin.decode(value) for (value,) in session.rows(_PINS, {})]
        return [pin for pin in found if pin.made_ns >= now - days * _DAY_NS]

    def pin(self, name: str) -> Pin:
        """Keep from now on what a backup that begins now would need; forget backups of the same name."""
        with self._database.transaction() as session:
            [(now,)] = session.rows(_NOW, {})
            boots = {str(boot): int(seg) for boot, seg in session.rows(_POSITIONS, {})}
            pin = Pin(name, now, boots)
            session.change(_UNPIN, {"name": f"backup/{name}"})
            session.change(_PIN, {"name": f"backup/{name}", "value": _ids.encode(pin).decode()})
        return pin

    def unpin(self, name: str) -> None:
        """Keep nothing for a backup that is gone."""
        with self._database.transaction() as session:
            session.change(_UNPIN, {"name": f"backup/{name}"})

    def close(self) -> None:
        """End the session."""
        self._database.close()

    def kept(self) -> Mark | None:
        """What is kept beside the database; None where nothing is, or nothing that can be read."""
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            return _mark.decode(self._file.read_bytes())
        return None
