"""The tree of commands. Each is named by module and function, so that only what runs is imported."""

import difflib
from collections.abc import Sequence

from cyclopts import App, Parameter
from cyclopts.exceptions import (
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from clavero import __version__
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.layout import Layout
from clavero.entrypoints.cli.sources import is_secret, refuse_inline
from clavero.entrypoints.cli.speech import speak

ABOUT = "The keeper of the keys: a gateway to LLM providers with virtual keys, budgets that hold, and a ledger."
ROOM = "clavero.entrypoints.cli"

# Verbs of the top level: name, then module and function.
VERBS = {
    "up": "up:up", "init": "init:init", "smoke": "smoke:smoke", "open": "open:open_console", "why": "why:why",
    "whois": "whois:whois", "trace": "trace:trace",
    "explain": "explain:explain", "doctor": "doctor:doctor", "usage": "usage:usage", "settings": "settings:settings",
    "bench": "bench:bench", "top": "top:top",
}  # fmt: skip
# Nouns: what each is, and its verbs; a verb's function has its name, with _ behind those that Python knows.
NOUNS = {
    "key": ("Virtual keys.", "create list show rotate disable enable revoke retire update transfer"),
    "provider": ("Who answers calls.", "add list show update remove enable disable"),
    "credential": ("The keys that we hold with providers.", "add list remove"),
    "model": ("Names that callers ask for.", "list set remove"),
    "budget": ("Limits on what may be spent.", "list set delete"),
    "price": ("What models cost.", "list set remove"),
    "member": ("Who owns keys.", "list add show update leave rejoin transfer remove"),
    "team": ("Who pays for services.", "list add"),
    "project": ("Pieces of work, each of one team.", "list add"),
    "env": ("Where software runs.", "list add update freeze thaw drift"),
    "service": ("Programs that hold keys.", "list add update"),
    "request": ("The newest exchanges.", "list tail"),
    "audit": ("Who changed what.", "list verify export prove"),
    "vault": ("Who can open what is sealed.", "status rekey seal"),
    "db": ("The database itself.", "check backup backups verify restore migrate"),
}
_BUILTIN = {"list", "set"}


def make_app() -> App:
    """Every command, by name alone: nothing of them is imported yet."""
    layout = Layout()
    app = App(
        name="clavero", help=ABOUT, version=__version__, help_format="plaintext",
        help_formatter=layout,
        default_parameter=Parameter(negative=()),
    )  # fmt: skip
    for name, target in VERBS.items():
        app.command(f"{ROOM}.{target}", name=name)
    for noun, (about, verbs) in NOUNS.items():
        group = App(
            name=noun,
            help=about,
            help_format="plaintext",
            help_formatter=layout,
            version_flags=[],
        )
        for verb in verbs.split():
            function = f"{verb}_" if verb in _BUILTIN else verb
            group.command(f"{ROOM}.{noun}:{function}", name=verb)
        app.command(group)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. `Failure` where it was written wrongly, or does not do what it was told."""
    refuse_inline(arguments)
    try:
        ended = make_app()(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value", verbose=False
        )
    except CycloptsError as error:
        raise wording(error) from None
    return int(ended) if isinstance(ended, int) else 0


def wording(error: CycloptsError) -> Failure:
    """How the command was written wrongly, and what is near; no value is said back that may be a secret."""
    words = " ".join(error.command_chain or ())
    help_ = " ".join(part for part in ("clavero", words, "--help") if part)
    match error:
        case UnknownOptionError():
            name = (error.token.keyword or error.token.value or "").partition("=")[0]
            known = [one for argument in error.argument_collection for one in argument.names]
            near = _near(name, known)
            return usage(speak("unknown_option", what=_said(name)), near or help_, "unknown_option")
        case UnknownCommandError() if error.unused_tokens:
            name = error.unused_tokens[0]
            known = [one for one in (error.app or ()) if not one.startswith("-")]
            near = _near(name, known)
            full = " ".join(part for part in ("clavero", words, near) if part) if near else help_
            return usage(speak("unknown_command", what=_said(name)), full, "unknown_command")
        case MissingArgumentError() if error.argument is not None:
            return usage(speak("missing_argument", what=error.argument.name), help_, "missing_argument")
        case UnusedCliTokensError():
            return usage(speak("too_many", n=len(error.unused_tokens or ())), help_, "too_many_arguments")
        case _:
            return usage(speak("bad_value", what=str(error).rstrip(".")), help_, "bad_value")


def _near(name: str, known: Sequence[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, 1, 0.5)), "")


def _said(text: str) -> str:
    return "***" if is_secret(text) else text[:80]
