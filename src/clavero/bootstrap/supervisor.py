"""What the supervisor is composed of: the seal that unlocks the root keys."""

from collections.abc import Callable

from msgspec import Struct

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.ports.clock import Clock
from clavero.settings import Settings
from clavero.vault.passphrase import PassphraseSeal
from clavero.vault.seal import OpenSeal, PlainSeal, Seal, create, is_plain, unlock
from clavero.vault.seal_file import SealFile

_random = SystemDice().token


class Passphrases(Struct, frozen=True):
    """Where passphrases come from, asked for only where one is needed. `given`: by a file, so that nobody is asked."""

    present: Callable[[], Secret]
    new: Callable[[], Secret]
    given: bool = False


def machine_clock() -> Clock:
    """The machine's time."""
    return SystemClock()


def open_seal(settings: Settings, passphrases: Passphrases) -> OpenSeal:
    """The unlocked seal of a data directory; its root key is made at a first start.

    A vault that was used never gets a new root key by itself: it could open nothing, and would hide that the old one is
    lost. `StartFailure` where the seal is lost, not to be trusted, or not opened by the passphrase.
    """
    file = seal_file(settings)
    file.tidy()
    if settings.is_outpost and not file.exists():
        raise StartFailure(
            "seal_elsewhere",
            f"the root key {file.path} is missing, and the control plane elsewhere has it",
            f"copy seal/root.key of its data directory to {file.path}, for its owner alone (chmod 600)",
        )
    if not file.exists() and _is_fresh(settings):
        return create(file, PassphraseSeal(passphrases.new, _random) if passphrases.given else PlainSeal(), _random)
    content = file.read()
    if is_plain(content) and settings.vault.passphrase_file:
        message = f"a passphrase was given, but {file.path} is not sealed by one"
        raise StartFailure("passphrase_unused", message, "clavero vault seal passphrase")
    return unlock(file, _seal_of(content, passphrases), content, _random)


def move_seal(settings: Settings, kind: str, passphrases: Passphrases) -> OpenSeal:
    """Seal the root keys in another way, or under another passphrase; a first root key is made where there is none."""
    file = seal_file(settings)
    file.tidy()
    seal: Seal = PassphraseSeal(passphrases.new, _random) if kind == PassphraseSeal.kind else PlainSeal()
    if not file.exists() and _is_fresh(settings):
        return create(file, seal, _random)
    content = file.read()
    opened = unlock(file, _seal_of(content, passphrases), content, _random)
    opened.move(seal)
    return opened


def seal_file(settings: Settings) -> SealFile:
    """Where the seal is."""
    return SealFile(settings.data / "seal" / "root.key")


def _seal_of(content: bytes, passphrases: Passphrases) -> Seal:
    return PlainSeal() if is_plain(content) else PassphraseSeal(passphrases.present, _random)


def _is_fresh(settings: Settings) -> bool:
    """Whether nothing was sealed here yet: the database is made after the key."""
    return not (settings.data / "clavero.db").exists()
