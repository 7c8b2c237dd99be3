"""Where secrets come from and go to: variables, files and pipes; never the command line, which everybody can read."""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from clavero.domain import tokens
from clavero.domain.secret import Secret, mask
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.premises import write_private
from clavero.settings import variable

_LONGEST = 8192
_AZURE = "azure"  # its older keys are 32 hex digits, which are also the ids of traces


def refuse_inline(arguments: Iterable[str]) -> None:
    """A usage error where an argument is a secret; it is not said back."""
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("-") and "=" in argument else argument
        if is_secret(value):
            raise usage(speak("inline_secret"), speak("inline_fix"), "inline_secret")


def is_secret(text: str) -> bool:
    """Whether a word of the text is a key of a provider or of ours, or says one; prose about keys is none."""
    return any(_tells(word.strip("'\"`,;")) for word in text.split())


def secret_from(source: str) -> Secret:
    """The secret in `env:NAME`, `file:PATH` or `-` (stdin); a usage error for anything else, which is not said back."""
    kind, _, rest = source.partition(":")
    if source == "-":
        text, name = sys.stdin.read(_LONGEST + 1), "stdin"
    elif kind == "env" and rest:
        text, name = variable(rest), f"${rest}"
        if not text:
            raise usage(speak("no_variable", name=rest), f"export {rest}", "no_variable")
    elif kind == "file" and rest:
        text, name = _content(Path(rest)), rest
    else:
        raise usage(speak("bad_source"), "--from env:OPENAI_API_KEY", "bad_source")
    if len(text) > _LONGEST:
        raise usage(speak("source_long", source=name), speak("inline_fix"), "bad_source")
    if not text.strip():
        raise usage(speak("empty_source", source=name), speak("inline_fix"), "empty_source")
    return Secret(text.strip())


def virtual_key(file: Path) -> Secret:
    """The virtual key that a file holds, alone or behind `NAME=` or `Authorization: Bearer`."""
    words = _content(file).replace("=", " ").split()
    found = next((word for word in words if is_virtual_key(word)), None)
    if found is None:
        raise usage(speak("not_ours", file=file), speak("no_key_fix"), "not_ours")
    return Secret(found)


def is_virtual_key(text: str) -> bool:
    """Whether a text is one of our virtual keys, whole."""
    shape = tokens.read(text)
    return shape is not None and shape.kind == tokens.Kind.VIRTUAL_KEY and tokens.checksum_ok(text)


def write_env(file: Path, secret: Secret, base_url: str) -> None:
    """Set OPENAI_API_KEY and, where it is known, OPENAI_BASE_URL in an env file, 0600; its other lines stay."""
    if file.is_symlink() or (file.exists() and not stat.S_ISREG(file.stat().st_mode)):
        raise usage(speak("file_exists", file=file), "--env-file FILE", "not_a_file")
    wanted = {"OPENAI_API_KEY": secret.reveal(), **({"OPENAI_BASE_URL": f"{base_url}/v1"} if base_url else {})}
    try:
        kept = file.read_text("utf-8").splitlines() if file.exists() else []
        lines = [line for line in kept if line.removeprefix("export ").partition("=")[0].strip() not in wanted]
        lines += [f"{name}={value}" for name, value in wanted.items()]
        write_private(file, ("\n".join(lines) + "\n").encode())
    except (OSError, UnicodeDecodeError) as error:
        raise _closed("cannot_write", file, error) from None


def probe_env(file: Path) -> None:
    """Fail before a key is made where its file could not be written: a secret is shown once."""
    folder = file.parent
    if file.is_symlink() or (file.exists() and not stat.S_ISREG(file.stat().st_mode)):
        raise usage(speak("file_exists", file=file), "--env-file FILE", "not_a_file")
    if not folder.is_dir():
        raise _closed("cannot_write", file, FileNotFoundError(2, "no such directory"))
    if not os.access(folder, os.W_OK | os.X_OK) or (file.exists() and not os.access(file, os.R_OK)):
        raise _closed("cannot_write", file, PermissionError(13, "permission denied"))


def _tells(word: str) -> bool:
    if "://" in word:
        return False
    provider = tokens.provider_key(word)
    return bool(provider and provider != _AZURE) or tokens.read(word) is not None or mask(word) != word


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_LONGEST + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or type(error).__name__
        raise usage(speak("source_closed", source=file, what=what.lower()), speak("inline_fix"), "bad_source") from None


def _closed(key: str, file: Path, error: OSError | UnicodeDecodeError) -> Failure:
    what = getattr(error, "strerror", None) or type(error).__name__
    return Failure("cannot_write", speak(key, file=file, what=what.lower()), "--env-file FILE")
