"""Asking for a passphrase: a file that the operator names, a credential of systemd, else the terminal, without echo.

Never an argument or a variable: both can be read by others, and stay in histories and crash reports.
"""

import contextlib
import getpass
import os
import stat
import warnings
from pathlib import Path

from clavero.bootstrap.supervisor import Passphrases
from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, variable
from clavero.vault.passphrase import check_strength

CREDENTIAL = "clavero-passphrase"  # LoadCredential=clavero-passphrase:/etc/clavero/passphrase
_LONGEST = 1024  # bytes
_HANDED_OUT = (Path("/run/secrets"), Path("/run/credentials"))  # mounts of containers and services, modes are theirs
_FIX = "use --passphrase-file FILE, or start clavero at a terminal"


def passphrases(settings: Settings, new_file: str | None = None) -> Passphrases:
    """The present passphrase by setting or credential, else asked for; a new one in `new_file`.

    "" has the new one asked for; None takes the present one, for a vault that is made now.
    """
    given = settings.vault.passphrase_file or _credential()

    def present() -> Secret:
        return from_file(Path(given)) if given else ask("Passphrase of the vault: ")

    def new() -> Secret:
        file = given if new_file is None else new_file
        chosen = from_file(Path(file)) if file else _ask_twice()
        check_strength(chosen)
        return chosen

    return Passphrases(present, new, given=bool(given))


def from_file(file: Path) -> Secret:
    """The first and only line of a file; StartFailure where others can read it, or it holds anything else."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(_LONGEST + 1)
    except OSError as error:
        what = (error.strerror or type(error).__name__).lower()
        raise _unusable(f"cannot read the passphrase file {file} ({what})") from None
    if mode & 0o077 and not any(file.is_relative_to(place) for place in (*_HANDED_OUT, *_own_credentials())):
        raise StartFailure("passphrase_file", f"others can read {file} ({mode:04o})", f"chmod 600 {file}")
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > _LONGEST or any(letter in text for letter in "\n\r\0"):
        raise _unusable(f"{file} must hold the passphrase on one line")
    return Secret(text)


def ask(prompt: str) -> Secret:
    """What a person types at the terminal; StartFailure where there is none."""
    with contextlib.suppress(OSError, EOFError, getpass.GetPassWarning), warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would echo
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return Secret(getpass.getpass(prompt))
    raise StartFailure("passphrase_needed", "the vault is sealed by a passphrase, and here is no terminal", _FIX)


def _ask_twice() -> Secret:
    first = ask("New passphrase of the vault: ")
    check_strength(first)
    if ask("The same again: ") != first:
        raise StartFailure("passphrase_differs", "the two passphrases differ. Nothing was changed", "run it again")
    return first


def _credential() -> str:
    return next((str(path) for folder in _own_credentials() if (path := folder / CREDENTIAL).exists()), "")


def _own_credentials() -> list[Path]:
    folder = variable("CREDENTIALS_DIRECTORY")
    return [Path(folder)] if folder else []


def _unusable(message: str) -> StartFailure:
    return StartFailure("passphrase_file", message, _FIX)
