"""What the control plane is composed of: store, vault, desk, ingest and reclaim."""

import asyncio
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import asdict, replace

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.tombs import FILE as TOMBS
from clavero.adapters.storage.tombs import Tombs
from clavero.bootstrap.reading import Reading, open_reading
from clavero.bootstrap.storage import DATABASE, archive_of, here, is_server
from clavero.bootstrap.witnesses import witnesses_of
from clavero.control.checkpoints import Witness
from clavero.control.commit import Desk
from clavero.control.ingest import Heard
from clavero.control.recovery import Recovered
from clavero.control.restoring import account, settle
from clavero.control.retention import Forgetting
from clavero.control.unseal import Tools, open_desk
from clavero.domain.access import SYSTEM
from clavero.domain.members import Custody, OrphanPolicy
from clavero.domain.names import rule_of
from clavero.domain.retention import Retention
from clavero.domain.startup import StartFailure
from clavero.ports.clock import Clock
from clavero.ports.unsealer import Unsealer
from clavero.settings import Settings

# A driver whose connection failed still tells so from a thread of its own; a loop that has closed would be a traceback.
_LAST_WORDS_SECONDS = 0.1

Report = Callable[[OSError], None]


def _quiet(_error: OSError) -> None:
    """Nobody listens."""


class ControlPlane(Struct):
    """The parts that run for as long as the process does."""

    store: SqlStore
    desk: Desk
    reading: Reading
    witnesses: tuple[Witness, ...]
    forgetting: Forgetting
    tombs: Tombs
    came_back: Recovered | None  # what was read again at the opening, where the database went back in time

    async def recovered(self, recovered: Recovered) -> str:
        """Write into the audit trail that the database went back, end again what had ended; what to tell of it."""
        told = account(recovered)
        ended = await settle(self.desk, SYSTEM, told, await asyncio.to_thread(self.tombs.all))
        return f"{told}; {ended} ended again"

    async def close(self) -> None:
        """Read what the workers wrote last, then let the database go."""
        await self.reading.close()
        self.forgetting.close()
        await self.store.close()


async def open_control(settings: Settings, unsealer: Unsealer, heard: Heard, report: Report = _quiet) -> ControlPlane:
    """Make or check the schema, open the vault; `StartFailure` where either is not ours. `heard` is told of frames."""
    store = _store(settings)
    try:
        await store.open()
    except StartFailure as failure:
        await store.close()
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        raise here(failure, settings) from None
    names = rule_of(settings.keys.name_pattern, settings.keys.name_words)
    reading = open_reading(settings, heard)
    desk = await open_desk(Tools(store, SystemClock(), SystemDice(), names), unsealer, reading.home)
    kept = Retention(**asdict(settings.retention))
    forgetting = Forgetting(archive_of(settings), kept, SystemClock())
    tombs = Tombs(settings.data / TOMBS, report)
    came_back = await asyncio.to_thread(reading.recovery.run)
    desk, witnesses = replace(desk, bury=tombs.add, custody=_custody(settings)), witnesses_of(settings)
    return ControlPlane(store, desk, reading, witnesses, forgetting, tombs, came_back)


def machine_clock() -> Clock:
    """The machine's time, for what is counted beside the duties."""
    return SystemClock()


def _custody(settings: Settings) -> Custody:
    wanted = settings.organisation
    return Custody(transfer_days=wanted.transfer_days, orphan_keys=OrphanPolicy(wanted.orphan_keys))


def _store(settings: Settings) -> SqlStore:
    if is_server(settings):
        return postgres_store(settings.storage.database_url)
    return sqlite_store(settings.data / DATABASE)
