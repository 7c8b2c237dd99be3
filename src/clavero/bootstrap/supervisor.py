"""What the supervisor is composed of: the seal that unlocks the root key."""

from pathlib import Path

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.ports import Clock
from clavero.settings import Settings
from clavero.vault.seal import FileSeal, root_key


def root_key_of(settings: Settings) -> bytes:
    """The root key of a data directory; made at a first start. `StartFailure` where it is lost or not to be trusted."""
    data = settings.data
    seal = FileSeal(data / "seal" / "root.key")
    return root_key(seal, SystemDice().token, fresh=_is_fresh(data)).value


def machine_clock() -> Clock:
    """The machine's time."""
    return SystemClock()


def _is_fresh(data: Path) -> bool:
    """Whether nothing was sealed here yet: the database is made after the key."""
    return not (data / "clavero.db").exists()
