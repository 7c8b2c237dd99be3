"""Who is at the console: admin tokens, one-time links and sessions. Only digests of them are kept.

A stranger's guess costs a look at one row and no more: nothing is locked or written before a digest has matched. What
has been over for a while is forgotten when the next of its kind is made, so that no table grows by being used.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.find import named
from clavero.domain import tokens
from clavero.domain.access import Actor, AdminToken, BootstrapLink, Role, Session
from clavero.domain.refusals import NotSignedIn
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind

LINK_NS = 15 * 60 * 1_000_000_000
SESSION_NS = 12 * 3600 * 1_000_000_000
_REMEMBERED_NS = 7 * 24 * 3600 * 1_000_000_000  # that a link or session is kept after its end
_ENV = "admin"

T = TypeVar("T", bound=Struct)


# --- tokens


@operation("token.create")
async def create_token(change: Changing, *, role: Role = Role.OWNER) -> Secret:
    """Mint an admin token; it is shown by who asked, once."""
    kid, secret = tokens.mint(Kind.ADMIN, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    await change.put(AdminToken(id=kid, digest=digest, pepper=pepper, role=role, created_ns=change.now_ns))
    return secret


@operation("token.end")
async def end_token(change: Changing, *, kid: str) -> AdminToken:
    """End an admin token; it is refused from the next request on."""
    token = await named(change, AdminToken, kid, "token")
    ended = replace(token, ended_ns=token.ended_ns or change.now_ns)
    await change.put(ended)
    return ended


async def list_tokens(desk: Desk) -> list[AdminToken]:
    """The tokens that work, oldest first."""
    async with desk.store.read() as look:
        found = await look.find(AdminToken, ended_ns=0)
    return sorted(found, key=lambda token: token.created_ns)


# --- links and sessions


@operation("link.create")
async def create_link(change: Changing) -> Secret:
    """Mint a sign-in link: 15 minutes, one use."""
    await _forget(change, BootstrapLink, lambda link: link.expires_ns)
    kid, secret = tokens.mint(Kind.BOOTSTRAP, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    await change.put(BootstrapLink(id=kid, digest=digest, pepper=pepper, expires_ns=change.now_ns + LINK_NS))
    return secret


@operation("session.start")
async def start_session(change: Changing, *, link: Secret) -> tuple[Session, Secret]:
    """Use a link up and start a session; the secret goes into the cookie. `sign_in` looks before it comes here."""
    used = _live_link(change.desk, link.reveal(), await change.get(BootstrapLink, _kid(link.reveal(), Kind.BOOTSTRAP)))
    await _forget(change, Session, lambda session: session.ended_ns or session.expires_ns)
    kid, secret = tokens.mint(Kind.BOOTSTRAP, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    csrf, expires_ns = change.desk.dice.token(24).hex(), change.now_ns + SESSION_NS
    session = Session(id=kid, digest=digest, pepper=pepper, csrf=csrf, expires_ns=expires_ns)
    await change.put(session)
    await change.put(replace(used, used_ns=change.now_ns))
    return session, secret


@operation("session.end")
async def end_session(change: Changing, *, kid: str) -> Session:
    """Sign a browser out."""
    session = await named(change, Session, kid)
    ended = replace(session, ended_ns=session.ended_ns or change.now_ns)
    await change.put(ended)
    return ended


async def sign_in(desk: Desk, link: Secret, address: str) -> tuple[Session, Secret]:
    """A session and its cookie for a link; `NotSignedIn` for one that is unknown, over or used."""
    kid = _kid(link.reveal(), Kind.BOOTSTRAP)
    async with desk.store.read() as look:
        stored = await look.get(BootstrapLink, kid)
    _live_link(desk, link.reveal(), stored)
    return await perform(desk, Actor(id="owner", kind="user", address=address, level="link"), start_session, link=link)


# --- who asks


async def who_sent(desk: Desk, token: str, address: str) -> Actor:
    """The actor of an admin token; `NotSignedIn` for anything else."""
    kid = _kid(token, Kind.ADMIN)
    async with desk.store.read() as look:
        stored = await look.get(AdminToken, kid)
    if stored is None or not _matches(desk, token, stored) or stored.ended_ns:
        raise _stranger(desk, token, stored)
    return Actor(id=f"token {stored.id}", kind="token", address=address, level="token", role=stored.role)


async def whose_session(desk: Desk, cookie: str, address: str) -> tuple[Actor, Session]:
    """The actor and session of a cookie; `NotSignedIn` for anything else."""
    kid = _kid(cookie, Kind.BOOTSTRAP)
    async with desk.store.read() as look:
        stored = await look.get(Session, kid)
    if stored is None or not _matches(desk, cookie, stored):
        raise _stranger(desk, cookie, stored)
    if stored.ended_ns or desk.clock.wall_ns() >= stored.expires_ns:
        raise NotSignedIn
    actor = Actor(id="owner", kind="user", address=address, session=stored.id, level="link", role=stored.role)
    return actor, stored


# --- rules


def _live_link(desk: Desk, link: str, stored: BootstrapLink | None) -> BootstrapLink:
    if stored is None or not _matches(desk, link, stored):
        raise _stranger(desk, link, stored)
    if stored.used_ns or desk.clock.wall_ns() >= stored.expires_ns:
        raise NotSignedIn
    return stored


def _matches(desk: Desk, text: str, stored: AdminToken | BootstrapLink | Session) -> bool:
    return desk.fingerprints.same(text, stored.pepper, stored.digest)


def _stranger(desk: Desk, text: str, stored: Struct | None) -> NotSignedIn:
    """The refusal, after the same work whether or not there is such an id."""
    if stored is None:
        desk.fingerprints.stranger(text)
    return NotSignedIn()


def _stored(change: Changing, secret: Secret) -> tuple[bytes, int]:
    """What is kept of a secret: its digest, and under which pepper."""
    prints = change.desk.fingerprints
    return prints.digest(secret.reveal(), prints.newest), prints.newest


def _kid(text: str, kind: Kind) -> str:
    shape = tokens.read(text)
    if shape is None or shape.kind != kind:
        raise NotSignedIn
    return shape.kid


async def _forget(change: Changing, kind: type[T], over_ns: Callable[[T], int]) -> None:
    for one in await change.find(kind):
        if over_ns(one) + _REMEMBERED_NS < change.now_ns:
            await change.delete(kind, one.id)  # type: ignore[attr-defined] # both have one
