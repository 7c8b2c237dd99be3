"""How a command ends early: one line with the fact, one with the next step, and an exit code."""

from pathlib import PurePath

from clavero.domain.refusals import Refusal
from clavero.domain.secret import mask
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.cli.speech import speak


class Failure(Exception):
    """The command did not do what it was told; `fix` says what would."""

    def __init__(self, code: str, message: str, fix: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.exit_code = exit_code


def usage(message: str, fix: str, code: str = "usage") -> Failure:
    """The command was written wrongly: exit 2."""
    return Failure(code, message, fix, Exit.USAGE)


def unforeseen(error: Exception) -> Failure:
    """What nobody foresaw, and where in our files it happened; its text may hold anything, so it is left out."""
    where, trace = "?", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        where = f"{PurePath(file).name}:{trace.tb_lineno}" if "clavero" in PurePath(file).parts else where
        trace = trace.tb_next
    return Failure("internal_error", speak("internal", what=type(error).__name__, where=where), speak("report"))


def two_lines(ending: Failure | StartFailure | Refusal) -> str:
    """The fact and the next step, masked, and each on a line of its own whatever it quotes."""
    fact, fix = _one_line(ending.message), _one_line(ending.fix)
    first = f"{speak('error')}: {fact}  [{ending.code}]"
    return f"{first}\n  {speak('fix')}: {fix}" if fix else first


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in mask(text).strip().removesuffix("."))
