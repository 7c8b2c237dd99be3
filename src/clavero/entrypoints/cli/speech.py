"""How the command line speaks: in the language of the terminal (LANG), English or Spanish; data apart from the rest."""

import os
import sys

from clavero.domain.units import Language
from clavero.entrypoints.cli.texts import HEADINGS, TEXTS
from clavero.settings import variable


def language() -> Language:
    """`es` where the terminal speaks Spanish, else `en`."""
    spoken = variable("LC_ALL") or variable("LC_MESSAGES") or variable("LANG")
    return "es" if spoken.lower().startswith("es") else "en"


def speak(key: str, **facts: object) -> str:
    """A text in the language of the terminal."""
    english, spanish = TEXTS[key]
    return (spanish if language() == "es" else english).format(**facts)


def heading(name: str) -> str:
    """The heading of a column in the language of the terminal."""
    return HEADINGS.get(name, name) if language() == "es" else name


def say(text: str) -> None:
    """Write a line for people: to stderr, so that data on stdout stays clean. Nothing fails for want of a reader."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # a full disk, or whoever read has gone: from now on there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    except UnicodeEncodeError:
        print(text.encode("ascii", "replace").decode("ascii"), file=sys.stderr, flush=True)
