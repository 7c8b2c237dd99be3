import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import signin
from clavero.control.commit import Desk, perform
from clavero.domain import tokens
from clavero.domain.access import SYSTEM, AdminToken, BootstrapLink, Role, Session
from clavero.domain.audit import AuditRow
from clavero.domain.refusals import Forbidden, NotFound, NotSignedIn
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind
from clavero.testing.clock import StoppedClock

MINUTE = 60
HOUR = 3600
HERE = "127.0.0.1"


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        yield opened


async def link(desk: Desk) -> Secret:
    return await perform(desk, SYSTEM, signin.create_link)


async def rows(desk: Desk) -> int:
    async with desk.store.read() as look:
        return len(await look.find(AuditRow))


# --- tokens


async def test_a_token_says_who_sent_it_until_it_is_ended(desk: Desk) -> None:
    secret = await perform(desk, SYSTEM, signin.create_token)
    actor = await signin.who_sent(desk, secret.reveal(), HERE)
    (token,) = await signin.list_tokens(desk)
    assert (actor.id, actor.kind, actor.role, actor.address) == (f"token {token.id}", "token", Role.OWNER, HERE)
    await perform(desk, SYSTEM, signin.end_token, kid=token.id)
    with pytest.raises(NotSignedIn):
        await signin.who_sent(desk, secret.reveal(), HERE)
    assert await signin.list_tokens(desk) == []
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, signin.end_token, kid="nobody")


async def test_a_token_does_what_its_role_may(desk: Desk) -> None:
    secret = await perform(desk, SYSTEM, signin.create_token, role=Role.AUDITOR)
    actor = await signin.who_sent(desk, secret.reveal(), HERE)
    with pytest.raises(Forbidden):
        await perform(desk, actor, signin.create_token)


async def test_only_digests_are_kept(desk: Desk, tmp_path: Path) -> None:
    """What is stored opens nothing (GHSA-69x8-hrgq-fjj8), and nothing that opens is stored."""
    token, first = await perform(desk, SYSTEM, signin.create_token), await link(desk)
    _, cookie = await signin.sign_in(desk, first, HERE)
    everything = _everything_in(tmp_path)
    for secret in (token, first, cookie):
        assert secret.reveal().encode() not in everything
        assert secret.reveal()[-49:].encode() not in everything
    async with desk.store.read() as look:
        (stored,) = await look.find(AdminToken)
    for guess in (stored.digest.hex(), f"clva_admin_{stored.id}_{stored.digest.hex()[:49]}"):
        with pytest.raises(NotSignedIn):
            await signin.who_sent(desk, guess, HERE)


def _everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


# --- links


async def test_a_link_signs_in_once(desk: Desk) -> None:
    secret = await link(desk)
    session, cookie = await signin.sign_in(desk, secret, HERE)
    actor, found = await signin.whose_session(desk, cookie.reveal(), HERE)
    assert found == session
    assert (actor.session, actor.level, actor.role) == (session.id, "link", Role.OWNER)
    with pytest.raises(NotSignedIn):
        await signin.sign_in(desk, secret, HERE)
    with pytest.raises(NotSignedIn):
        await perform(desk, SYSTEM, signin.start_session, link=secret)


async def test_a_link_lasts_fifteen_minutes(desk: Desk, clock: StoppedClock) -> None:
    early, late = await link(desk), await link(desk)
    clock.advance(15 * MINUTE - 1)
    await signin.sign_in(desk, early, HERE)
    clock.advance(1)
    with pytest.raises(NotSignedIn):
        await signin.sign_in(desk, late, HERE)


# --- sessions


async def test_a_session_lasts_twelve_hours(desk: Desk, clock: StoppedClock) -> None:
    _, cookie = await signin.sign_in(desk, await link(desk), HERE)
    clock.advance(12 * HOUR - 1)
    await signin.whose_session(desk, cookie.reveal(), HERE)
    clock.advance(1)
    with pytest.raises(NotSignedIn):
        await signin.whose_session(desk, cookie.reveal(), HERE)


async def test_a_session_ends_when_it_is_ended(desk: Desk) -> None:
    session, cookie = await signin.sign_in(desk, await link(desk), HERE)
    await perform(desk, SYSTEM, signin.end_session, kid=session.id)
    with pytest.raises(NotSignedIn):
        await signin.whose_session(desk, cookie.reveal(), HERE)


async def test_each_session_has_secrets_of_its_own(desk: Desk) -> None:
    first, second = [(await signin.sign_in(desk, await link(desk), HERE)) for _ in range(2)]
    assert first[0].csrf != second[0].csrf
    assert len(first[0].csrf) == 48
    assert first[1].reveal() != second[1].reveal()


# --- strangers


def _forged(kind: Kind) -> str:
    return tokens.mint(kind, "admin", os.urandom)[1].reveal()


@pytest.mark.parametrize("guess", ["", "x", "Bearer", "clva_", "\ud800", "a\x00b", "clva_admin_" + "A" * 5000])
async def test_garbage_is_nobody_and_costs_no_look(desk: Desk, guess: str) -> None:
    """Not even a missing database is noticed (CVE-2026-42208)."""
    await desk.store.close()
    for ask in (signin.who_sent, signin.whose_session):
        with pytest.raises(NotSignedIn):
            await ask(desk, guess, HERE)
    with pytest.raises(NotSignedIn):
        await signin.sign_in(desk, Secret(guess), HERE)


Ask = Callable[[Desk, str, str], Awaitable[object]]


@pytest.mark.parametrize("ask", [signin.who_sent, signin.whose_session])
async def test_what_opens_one_thing_opens_nothing_else(desk: Desk, ask: Ask) -> None:
    token, first = await perform(desk, SYSTEM, signin.create_token), await link(desk)
    _, cookie = await signin.sign_in(desk, first, HERE)
    right: dict[Ask, Secret] = {signin.who_sent: token, signin.whose_session: cookie}
    for secret in (token, first, cookie, Secret(_forged(Kind.ADMIN)), Secret(_forged(Kind.BOOTSTRAP))):
        if right[ask] is secret:
            await ask(desk, secret.reveal(), HERE)
        else:
            with pytest.raises(NotSignedIn):
                await ask(desk, secret.reveal(), HERE)


async def test_the_id_of_another_opens_nothing(desk: Desk) -> None:
    secret = (await perform(desk, SYSTEM, signin.create_token)).reveal()
    forged = _forged(Kind.ADMIN)
    with pytest.raises(NotSignedIn):
        await signin.who_sent(desk, secret[:24] + forged[24:], HERE)


async def test_strangers_write_nothing(desk: Desk) -> None:
    before = await rows(desk)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await signin.sign_in(desk, Secret(_forged(Kind.BOOTSTRAP)), HERE)
    assert await rows(desk) == before


async def test_what_is_over_for_a_week_is_forgotten(desk: Desk, clock: StoppedClock) -> None:
    await signin.sign_in(desk, await link(desk), HERE)
    clock.advance(8 * 24 * HOUR)
    await signin.sign_in(desk, await link(desk), HERE)
    async with desk.store.read() as look:
        assert len(await look.find(BootstrapLink)) == 1
        assert len(await look.find(Session)) == 1
