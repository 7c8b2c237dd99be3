"""The door: hands the arguments to the command line, and says in two lines what went wrong."""

import sys
from collections.abc import Sequence


def main() -> None:
    """Run the command line; the exit codes are those of `clavero.domain.startup`."""
    raise SystemExit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """One command and its exit code. Whatever fails is told to people on stderr; no traceback for a user's mistake."""
    from clavero.entrypoints.cli.helps import help_for

    told = help_for(arguments)
    try:
        if told is not None:
            sys.stdout.write(told)
            sys.stdout.flush()  # here, where a reader that has gone is expected, and not when the interpreter ends
            return 0
        return _command(arguments)
    except BrokenPipeError:  # whoever read us has gone, as `head` does: nothing is wrong
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 130


def _command(arguments: Sequence[str]) -> int:
    from clavero.domain.refusals import Refusal
    from clavero.domain.startup import StartFailure
    from clavero.entrypoints.cli.app import run as run_command
    from clavero.entrypoints.cli.failure import Failure, two_lines, unforeseen
    from clavero.entrypoints.cli.speech import say

    try:
        code = run_command(arguments)
        sys.stdout.flush()
    except (StartFailure, Refusal, Failure) as ending:
        say(two_lines(ending))
        return int(ending.exit_code)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the rim: what nobody foresaw is one line that says where
        say(two_lines(unforeseen(error)))
        return 1
    return code


if __name__ == "__main__":
    main()
