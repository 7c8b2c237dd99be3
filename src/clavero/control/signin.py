"""Who is at the console: admin tokens, one-time links and sessions. Only digests of them are kept."""

from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.domain import tokens
from clavero.domain.access import Actor, AdminToken, BootstrapLink, Role, Session
from clavero.domain.refusals import NotSignedIn
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind

LINK_NS = 15 * 60 * 1_000_000_000
SESSION_NS = 12 * 3600 * 1_000_000_000
_ENV = "admin"


@operation("token.create")
async def create_token(change: Changing, *, role: Role = Role.OWNER) -> Secret:
    """Mint an admin token; it is shown by who asked, once."""
    kid, secret = tokens.mint(Kind.ADMIN, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    token = AdminToken(id=kid, digest=digest, pepper=pepper, role=role, created_ns=change.now_ns)
    await change.put(token)
    return secret


@operation("token.end")
async def end_token(change: Changing, *, kid: str) -> None:
    """End an admin token; it is refused from the next request on."""
    token = await change.get(AdminToken, kid)
    if token is not None:
        await change.put(replace(token, ended_ns=change.now_ns))


@operation("link.create")
async def create_link(change: Changing) -> Secret:
    """Mint a sign-in link: 15 minutes, one use."""
    kid, secret = tokens.mint(Kind.BOOTSTRAP, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    link = BootstrapLink(id=kid, digest=digest, pepper=pepper, expires_ns=change.now_ns + LINK_NS)
    await change.put(link)
    return secret


@operation("session.start")
async def start_session(change: Changing, *, link: Secret) -> tuple[Session, Secret]:
    """Use a link up and start a session; the secret goes into the cookie."""
    stored = await change.get(BootstrapLink, _kid(link.reveal(), Kind.BOOTSTRAP))
    prints = change.desk.fingerprints
    if stored is None or not prints.same(link.reveal(), stored.pepper, stored.digest):
        raise NotSignedIn
    if stored.used_ns or change.now_ns >= stored.expires_ns:
        raise NotSignedIn
    await change.put(replace(stored, used_ns=change.now_ns))
    kid, secret = tokens.mint(Kind.BOOTSTRAP, _ENV, change.desk.dice.token)
    digest, pepper = _stored(change, secret)
    csrf, expires_ns = change.desk.dice.token(24).hex(), change.now_ns + SESSION_NS
    session = Session(id=kid, digest=digest, pepper=pepper, csrf=csrf, expires_ns=expires_ns)
    await change.put(session)
    return session, secret


@operation("session.end")
async def end_session(change: Changing, *, kid: str) -> None:
    """Sign a browser out."""
    session = await change.get(Session, kid)
    if session is not None:
        await change.put(replace(session, ended_ns=change.now_ns))


async def who_sent(desk: Desk, token: str, address: str) -> Actor:
    """The actor of an admin token; `NotSignedIn` for anything else."""
    kid = _kid(token, Kind.ADMIN)
    async with desk.store.read() as look:
        stored = await look.get(AdminToken, kid)
    if stored is None or stored.ended_ns or not desk.fingerprints.same(token, stored.pepper, stored.digest):
        raise NotSignedIn
    return Actor(id=f"token {stored.id}", kind="token", address=address, level="token", role=stored.role)


async def whose_session(desk: Desk, cookie: str, address: str) -> tuple[Actor, Session]:
    """The actor and session of a cookie; `NotSignedIn` for anything else."""
    kid = _kid(cookie, Kind.BOOTSTRAP)
    async with desk.store.read() as look:
        stored = await look.get(Session, kid)
    if stored is None or stored.ended_ns or desk.clock.wall_ns() >= stored.expires_ns:
        raise NotSignedIn
    if not desk.fingerprints.same(cookie, stored.pepper, stored.digest):
        raise NotSignedIn
    actor = Actor(id="owner", kind="user", address=address, session=stored.id, level="link", role=stored.role)
    return actor, stored


def _stored(change: Changing, secret: Secret) -> tuple[bytes, int]:
    """What is kept of a secret: its digest, and under which pepper."""
    prints = change.desk.fingerprints
    return prints.digest(secret.reveal(), prints.newest), prints.newest


def _kid(token: str, kind: Kind) -> str:
    shape = tokens.read(token)
    if shape is None or shape.kind != kind:
        raise NotSignedIn
    return shape.kid
