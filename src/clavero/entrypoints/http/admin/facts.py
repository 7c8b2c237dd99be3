"""What the admin API is told at its start, and who is asking: what every route works with."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct

from clavero.control.checkpoints import Witness
from clavero.control.commit import Changing, Desk, perform
from clavero.domain.access import Actor
from clavero.domain.catalogue import Language
from clavero.domain.forwarded import Proxies
from clavero.entrypoints.certificates import Served
from clavero.entrypoints.http.admin.meter import Meter
from clavero.entrypoints.http.admin.recent import Recent
from clavero.entrypoints.http.tail import Tail
from clavero.settings import Setting

R = TypeVar("R")
P = ParamSpec("P")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class AdminFacts(Struct, frozen=True, kw_only=True):
    """How this process runs, as far as the API tells it. URLs have no slash at their end.

    `hosts` are the names that the listener answers to without TLS: its own on this machine. `proxies` are believed.
    """

    version: str
    gateway_url: str
    console_url: str
    meter: Meter
    tail: Tail
    recent: Recent
    journal: Path | None = None  # the directory of the journals that are read here
    settings: tuple[Setting, ...] = ()
    hosts: frozenset[str] = LOOPBACK
    proxies: Proxies = Proxies()
    certificate: Served | None = None
    witnesses: tuple[Witness, ...] = ()  # who keeps what was signed of the audit trail
    patience_s: float = 3.0  # how long a trace waits for ingest


class Office(Struct, frozen=True):
    """The desk and the facts, wired once."""

    desk: Desk
    facts: AdminFacts


class Caller(Struct, frozen=True):
    """One authenticated request: who asks, in which language, and where duties are done."""

    actor: Actor
    language: Language
    office: Office

    @property
    def desk(self) -> Desk:
        """Where duties are done."""
        return self.office.desk

    @property
    def facts(self) -> AdminFacts:
        """How this process runs."""
        return self.office.facts

    @property
    def now_ns(self) -> int:
        """UTC nanoseconds."""
        return self.office.desk.clock.wall_ns()

    async def do(self, work: Callable[Concatenate[Changing, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Change something as who asks; its permission is checked once more, where the change is made."""
        return await perform(self.office.desk, self.actor, work, *args, **kwargs)
