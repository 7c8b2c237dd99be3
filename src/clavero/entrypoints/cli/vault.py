"""`clavero vault`: who can open what is sealed."""

from pathlib import Path
from typing import Literal

from clavero.bootstrap.supervisor import move_seal
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.place import settings_of
from clavero.entrypoints.passphrases import passphrases
from clavero.entrypoints.premises import Premises
from clavero.entrypoints.processes import guard_memory


def seal(
    kind: Literal["passphrase", "file"],
    /,
    *,
    passphrase_file: Path | None = None,
    new_passphrase_file: Path | None = None,
    common: Common = COMMON,
) -> int:
    """Seal the root key by a passphrase, or keep it in a plain file, while nothing runs.

    No provider key is touched. Sealing by a passphrase again changes the passphrase.

    Example: clavero vault seal passphrase

    Parameters
    ----------
    kind
        passphrase: asked for at each start. file: as safe as the account that runs clavero.
    passphrase_file
        File with the present passphrase; else it is asked for, where there is one.
    new_passphrase_file
        File with the new passphrase; else it is asked for twice.
    """
    settings = settings_of(common.data_dir, passphrase_file)
    guard_memory()
    with Premises(settings.data):
        opened = move_seal(settings, kind, passphrases(settings, new_file=str(new_passphrase_file or "")))
    common.note(f"sealed_by_{kind}", name=opened.keys.ids[-1], file=opened.file.path)
    told = {"seal": opened.kind, "root_keys": list(opened.keys.ids), "file": str(opened.file.path)}
    return common.answer(told) if common.json else 0
