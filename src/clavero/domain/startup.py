"""Why clavero cannot start, as one line and its remedy; the exit codes of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """How the command line ends; programs may rely on these numbers."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    SIGN_IN = 4
    REFUSED = 5
    PROVIDER_FAILED = 6
    CANNOT_START = 7
    PLAN_DIFFERS = 8
    ALREADY_RUNNING = 9
    INTERRUPTED = 130


class StartFailure(Exception):
    """Nothing was started: `message` is the fact, `fix` the next step, `code` the entry of the catalogue."""

    def __init__(self, code: str, message: str, fix: str, exit_code: Exit = Exit.CANNOT_START) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Two lines, ready to be shown."""
        return f"error: {self.message}  [{self.code}]\n  fix: {self.fix}"
