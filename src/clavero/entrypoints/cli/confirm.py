"""Asking before what cannot be undone: the name is typed, or `--yes` is given; without a terminal only `--yes`."""

import sys

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.speech import speak


def confirm(name: str, *, yes: bool) -> None:
    """Go on where the name is typed or `yes` was given; `Failure` otherwise, before anything was changed."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise usage(speak("no_terminal"), "--yes", "not_confirmed")
    sys.stderr.write(speak("final", name=name) + "\n> ")
    sys.stderr.flush()
    typed = sys.stdin.readline().strip()
    if typed != name:
        fact = speak("not_confirmed", typed=typed or "-", name=name)
        raise Failure("not_confirmed", fact, speak("run_again"), Exit.REFUSED)
