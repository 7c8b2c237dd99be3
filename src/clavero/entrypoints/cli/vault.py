"""`clavero vault`: who can open what is sealed."""

import time
from pathlib import Path
from typing import Any, Literal

from clavero.bootstrap.supervisor import move_seal
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.place import settings_of
from clavero.entrypoints.cli.show import sign
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown
from clavero.entrypoints.passphrases import passphrases
from clavero.entrypoints.premises import Premises
from clavero.entrypoints.processes import guard_memory

_LONG_SECONDS = 60.0  # opening every value takes its time
_LOOK_SECONDS = 0.3


def status(*, verify: bool = False, common: Common = COMMON) -> int:
    """Show what the vault is sealed with, how many values are under which key, and how far a re-key is.

    Exit 1 where the vault does not open, or --verify found values that do not.

    Example: clavero vault status --verify

    Parameters
    ----------
    verify
        Open every sealed value once; none is shown.
    """
    told = common.api(_LONG_SECONDS).get("/vault", verify="true" if verify else "")
    if common.json:
        common.answer(told)
    else:
        _show(told, common)
    return Exit.FAILED if told["check"] != "ok" or told["unreadable"] else Exit.DONE


def rekey(
    *,
    root: bool = False,
    tenant: list[str] | None = None,
    no_wait: bool = False,
    yes: bool = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Move the vault to a new root key or new tenant keys while everything runs; values stay, virtual keys too.

    The old root key is destroyed at the end. Stopped on its way, by whatever, it goes on by itself.

    Example: clavero vault rekey --root --tenant default

    Parameters
    ----------
    root
        A new root key. A backup made before opens only with the old one: keep a copy with it, or back up again.
    tenant
        New key of this organisation; clavero vault status names them. May be given again.
    no_wait
        Begin, and do not wait for the end.
    yes
        Do not ask.
    reason
        Why; kept in the audit trail.
    """
    api = common.api(_LONG_SECONDS)
    if root:
        confirm(api.get("/vault")["root_key"], yes=yes)
    told = api.post("/vault/rekey", root=root, tenants=tenant or [], reason=reason)
    last = _progress(told, common)
    while not no_wait and told["rekey"]["state"] != "done":
        time.sleep(_LOOK_SECONDS)
        told = api.get("/vault")
        last = _progress(told, common, last)
    return common.answer(told) if common.json else 0


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


def _progress(told: dict[str, Any], common: Common, last: str = "") -> str:
    """Say how far a re-key is, where that is news; returns what was said."""
    line = _line(told)
    if line != last:
        common.tell(line)
    return line


def _line(told: dict[str, Any]) -> str:
    move = told["rekey"]
    key = "rekey_done" if move["state"] == "done" else "rekey_stuck" if told["stuck"] else "rekey_goes"
    name = move["after"] or told["root_key"]
    return speak(key, moved=f"{move['moved']:,}", cells=f"{move['cells']:,}", name=name, why=told["stuck"])


def _show(told: dict[str, Any], common: Common) -> None:
    screen = common.screen()
    root = speak("vault_root", name=told["root_key"] or "?", since=shown(told["root_key_since"]))
    screen.line(sign("ok" if told["check"] == "ok" else "bad"), f" {root}: {told['check']}")
    held = ", ".join(told["held"])
    lines = [
        speak("vault_seal", kind=told["seal"], since=shown(told["seal_since"]), held=held),
        *(
            speak("vault_tenant", tenant=one["tenant"], version=one["version"], since=shown(one["since"]))
            for one in told["tenants"]
        ),
        *(speak("vault_cells", name=name, n=f"{n:,}") for name, n in told["cells"].items()),
        *(speak("vault_keys", name=name, n=f"{n:,}") for name, n in told["keys"].items()),
        *([_line(told)] if told["rekey"] else []),
    ]
    for line in lines:
        screen.line(f"  {line}")
    if told["unreadable"] is not None:
        bad = told["unreadable"]
        text = speak("vault_unreadable", n=len(bad), names=", ".join(bad[:5])) if bad else speak("vault_readable")
        screen.line(sign("bad" if bad else "ok"), f" {text}")
