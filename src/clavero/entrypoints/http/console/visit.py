"""One look at the console by one person: the reader's language and theme, and the answers that pages are made of."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clavero.control.commit import Changing, Desk, perform
from clavero.domain.access import Actor, Session
from clavero.domain.catalogue import Language
from clavero.entrypoints.http.console.door import Door
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import LANGUAGES, Messages
from clavero.entrypoints.http.console.shelf import address
from clavero.entrypoints.http.language import language_of
from clavero.entrypoints.http.tail import Tail

R = TypeVar("R")
P = ParamSpec("P")
Theme = Literal["auto", "light", "dark"]

THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
LANGUAGE_COOKIE = "clavero_language"
THEME_COOKIE = "clavero_theme"
KEYS_COOKIE = "clavero_keys"
_TEMPLATES = Path(__file__).parent / "templates"

# What is shown where: the place in the menu, its message, its address, its icon, the key after `g`.
MENU = (
    ("", (("home", "/", "home", "h"),)),
    ("watch", (("requests", "/requests", "list", "r"),)),
    ("keys", (("keys", "/keys", "key", "k"),)),
)
_CSP = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self'; font-src 'self'; connect-src 'self'"
)
HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # `no-referrer` would make the origin of our own forms `null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}


class Console(Struct, frozen=True):
    """What every page needs; `gateway_url` is what callers are told to use."""

    desk: Desk
    door: Door
    gateway_url: str
    tail: Tail


class Visit:
    """One request of one reader. `actor` and `session` are None before the door."""

    def __init__(self, console: Console, request: Request, form: Mapping[str, str] | None = None) -> None:
        self.console = console
        self.request = request
        self.form = form or {}
        self.actor: Actor | None = None
        self.session: Session | None = None
        self.language = language_for(request)
        self.theme = theme_for(request)
        self.now_ns = console.desk.clock.wall_ns()
        self.words = Messages(self.language)
        self.formats = Formats(self.language, self.now_ns)

    @property
    def desk(self) -> Desk:
        """Where duties are done."""
        return self.console.desk

    def asked(self, name: str) -> str:
        """A parameter of the address, trimmed; "" where it is not there."""
        return self.request.query_params.get(name, "").strip()

    def named(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    async def do(self, work: Callable[Concatenate[Changing, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Change something as the person who is signed in."""
        if self.actor is None:
            raise RuntimeError("only who is signed in changes anything")
        return await perform(self.desk, self.actor, work, *args, **kwargs)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page."""
        return Response(self.part(template, **values), status, HEADERS, "text/html; charset=utf-8")

    def part(self, template: str, **values: Any) -> str:
        """The HTML of a template."""
        return _templates().get_template(template).render(self._context() | values)

    def go(self, path: str, done: str = "") -> Response:
        """Send the reader on; `done` names the message of what has been done."""
        return RedirectResponse(f"{path}?done={done}" if done else path, 303, HEADERS)

    def _context(self) -> dict[str, Any]:
        done = f"done.{self.asked('done')}"
        return {
            "t": self.words,
            "rich": self.words.rich,
            "f": self.formats,
            "language": self.language,
            "theme": self.theme,
            "keys": "off" if self.request.cookies.get(KEYS_COOKIE) == "off" else "on",
            "csrf": self.session.csrf if self.session else "",
            "actor": self.actor,
            "menu": MENU,
            "path": self.request.scope["path"],
            "query": self.request.scope["query_string"].decode("ascii", "ignore"),
            "done": self.words(done) if self.words.knows(done) else "",
            "now_ns": self.now_ns,
        }


def language_for(request: Request) -> Language:
    """The language that was chosen, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return next((one for one in LANGUAGES if one == chosen), language_of(request.headers.get("accept-language", "")))


def theme_for(request: Request) -> Theme:
    """The theme that was chosen, else the system's."""
    chosen = request.cookies.get(THEME_COOKIE)
    return next((one for one in THEMES if one == chosen), "auto")


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(_TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["static"] = address
    return made
