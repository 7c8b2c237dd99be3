import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk
from tests.unit.control.drives import PROVIDER, do

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.control import credentials, rekey, unseal
from clavero.control.commit import Desk
from clavero.control.rekey import Wanted, advance, outdated, sealed_cells, start, under_way
from clavero.control.vault_status import read_status
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow, first_bad
from clavero.domain.credentials import Credential
from clavero.domain.refusals import Conflict, InvalidValue, NotFound, OthersNeedRootKey, RekeyRuns, VaultClosed
from clavero.domain.sealing import Purpose, Rekey, RekeyState, SealedKey
from clavero.domain.secret import Secret
from clavero.testing.store import MemoryStore
from clavero.testing.unsealer import MemoryUnsealer
from clavero.vault.barrier import sealed_under
from clavero.vault.box import CannotOpen
from clavero.vault.columns import credential_cell
from clavero.vault.keyring import Keyring, RootKeys, WrongRootKey

TENANT = "default"
ROOT, TENANTS, BOTH = Wanted(root=True), Wanted(tenants=(TENANT,)), Wanted(root=True, tenants=(TENANT,))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def fill(desk: Desk, count: int = 3) -> dict[str, str]:
    """So many credentials, by id."""
    await do(desk, credentials.add_provider, provider=PROVIDER)
    secrets = {}
    for number in range(count):
        secret = f"sk-{number:03d}-" + os.urandom(12).hex()
        added = await do(desk, credentials.add_credential, provider="house", secret=Secret(secret))
        secrets[added.id] = secret
    return secrets


async def opened(desk: Desk) -> dict[str, str]:
    """What every stored cell opens to."""
    async with desk.store.read() as look:
        barrier = await desk.vault.barrier(look)
        found = await look.find(Credential)
    return {one.id: barrier.open(one.sealed, credential_cell(one)).reveal() for one in found if one.sealed}


async def rows(desk: Desk, kind: type[Any] = SealedKey) -> list[Any]:
    async with desk.store.read() as look:
        return await look.find(kind)


def unsealer(desk: Desk) -> MemoryUnsealer:
    assert isinstance(desk.vault.unsealer, MemoryUnsealer)
    return desk.vault.unsealer


async def run(desk: Desk, wanted: Wanted) -> Rekey:
    move = await start(desk, SYSTEM, wanted)
    assert await advance(desk)
    assert not await advance(desk)
    (done,) = [one for one in await rows(desk, Rekey) if isinstance(one, Rekey) and one.id == move.id]
    return done


# --- what it does


@pytest.mark.parametrize("wanted", [ROOT, TENANTS, BOTH], ids=["root", "tenant", "both"])
async def test_everything_opens_afterwards_under_the_new_keys_alone(desk: Desk, wanted: Wanted) -> None:
    secrets, old = await fill(desk), unsealer(desk).held.ids
    digest = desk.fingerprints.digest("x", 1)
    move = await run(desk, wanted)
    assert move.state is RekeyState.DONE
    assert move.ended_ns >= move.begun_ns > 0
    assert await opened(desk) == secrets
    held = unsealer(desk).held.ids
    assert (held == old) is not wanted.root
    assert len(held) == 1
    kept = await rows(desk)
    assert {row.root for row in kept} == set(held)
    tenants = [row.version for row in kept if row.purpose is Purpose.TENANT]
    assert tenants == ([2] if wanted.tenants else [1])
    assert {sealed_under(one.sealed) for one in await rows(desk, Credential)} == {(held[0], tenants[0])}
    ring = Keyring.open(unsealer(desk).held, kept)
    assert ring.peppers() == Keyring.open(unsealer(desk).held, kept).peppers()
    assert desk.fingerprints.digest("x", 1) == digest


async def test_a_second_move_goes_the_same_way(desk: Desk) -> None:
    secrets = await fill(desk)
    names = {unsealer(desk).held.ids[0]}
    for wanted in (BOTH, ROOT, TENANTS):
        await run(desk, wanted)
        names |= set(unsealer(desk).held.ids)
    assert len(names) == 3
    assert await opened(desk) == secrets


async def test_every_step_is_in_the_audit_trail(desk: Desk) -> None:
    await fill(desk)
    await run(desk, BOTH)
    trail = await rows(desk, AuditRow)
    assert [row.action for row in trail[-5:]] == [
        "vault.rekey", "vault.enter", "vault.reseal", "vault.complete", "vault.forget",
    ]  # fmt: skip
    assert first_bad(trail) is None


async def test_an_empty_vault_moves_too(desk: Desk) -> None:
    await run(desk, BOTH)
    assert "vault.reseal" not in [row.action for row in await rows(desk, AuditRow)]


async def test_a_retired_credential_has_nothing_to_move(desk: Desk) -> None:
    secrets = await fill(desk)
    gone = next(iter(secrets))
    await do(desk, credentials.remove_credential, credential_id=gone)
    await run(desk, ROOT)
    assert await opened(desk) == {name: secret for name, secret in secrets.items() if name != gone}


async def test_what_is_sealed_meanwhile_is_sealed_under_the_new_keys(desk: Desk) -> None:
    await fill(desk, 1)
    move = await start(desk, SYSTEM, BOTH)
    await desk.vault.unsealer.add_root()
    await do(desk, rekey.enter, rekey=move.id)
    added = await do(desk, credentials.add_credential, provider="house", secret=Secret("sk-" + "m" * 30))
    assert sealed_under(added.sealed) == (unsealer(desk).held.ids[1], 2)
    assert len(await opened(desk)) == 2
    async with desk.store.read() as look:
        assert len(await outdated(look, desk.vault)) == 1
        assert len(await sealed_cells(look)) == 2
    with pytest.raises(RekeyRuns):
        await do(desk, rekey.complete, rekey=move.id)  # something is still under the old keys
    await advance(desk)
    assert len(await opened(desk)) == 2


async def test_an_old_root_key_opens_nothing_afterwards_and_an_old_backup_needs_it(desk: Desk) -> None:
    await fill(desk)
    backup, old = await rows(desk), unsealer(desk).held
    await run(desk, ROOT)
    with pytest.raises(WrongRootKey):
        Keyring.open(old, await rows(desk))
    with pytest.raises(WrongRootKey):
        Keyring.open(unsealer(desk).held, backup)
    assert Keyring.open(old, backup).root == old.ids[0]


# --- what it refuses


async def test_nothing_to_move_or_an_unknown_tenant_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidValue):
        await start(desk, SYSTEM, Wanted())
    with pytest.raises(NotFound, match="acme"):
        await start(desk, SYSTEM, Wanted(tenants=("acme",)))
    assert await rows(desk, Rekey) == []


async def test_asking_again_is_the_same_move_and_another_one_is_refused(desk: Desk) -> None:
    one = await start(desk, SYSTEM, TENANTS)
    assert (await start(desk, SYSTEM, TENANTS)).id == one.id
    assert len([row for row in await rows(desk) if row.purpose is Purpose.TENANT]) == 2
    with pytest.raises(RekeyRuns):
        await start(desk, SYSTEM, ROOT)


async def test_a_cell_that_does_not_open_is_named_and_waited_for(desk: Desk) -> None:
    secrets = await fill(desk)
    spoilt = next(iter(secrets))
    async with desk.store.write() as writing:
        held = await writing.get(Credential, spoilt)
        assert held is not None
        await writing.put(replace(held, sealed=held.sealed[:-1] + bytes([held.sealed[-1] ^ 1])))
    await start(desk, SYSTEM, ROOT)
    with pytest.raises(ConnectionError, match=spoilt):
        await advance(desk)
    status = await read_status(desk, verify=True)
    assert (status.outdated, status.unreadable, len(status.held)) == (1, (spoilt,), 2)
    await do(desk, credentials.remove_credential, credential_id=spoilt)
    await advance(desk)
    assert len(unsealer(desk).held.ids) == 1
    assert await opened(desk) == {name: secret for name, secret in secrets.items() if name != spoilt}


async def test_another_machine_that_works_with_the_root_key_is_not_left_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk)
    read = desk.store.read

    class Others:
        """A look at a database that another data directory works on."""

        def __init__(self, look: Any) -> None:
            self.get, self.find, self._look = look.get, look.find, look

        async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
            if query == "other_homes":
                assert values["home"] == "home"
                return [{"homes": 1}]
            found: list[dict[str, Any]] = await self._look.rows(query, **values)
            return found

    @contextlib.asynccontextmanager
    async def looking() -> AsyncIterator[Any]:
        async with read() as look:
            yield Others(look)

    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "read", looking)
        with pytest.raises(OthersNeedRootKey):
            await start(desk, SYSTEM, ROOT)
        await run(desk, TENANTS)  # tenant keys travel in the database
    assert unsealer(desk).wishes == []


async def test_a_move_of_the_root_key_is_done_where_the_seal_is(desk: Desk) -> None:
    await fill(desk)
    await start(desk, SYSTEM, ROOT)
    desk.vault.home = "elsewhere"
    assert not await advance(desk)
    move = await start(desk, SYSTEM, ROOT)  # the seal was moved here, and somebody says so
    assert move.home == "elsewhere"
    assert await advance(desk)


async def test_a_supervisor_that_cannot_write_the_seal_stops_it_before_anything_changed(desk: Desk) -> None:
    secrets = await fill(desk)
    unsealer(desk).failing = "cannot use root.key: No space left on device"
    await start(desk, SYSTEM, ROOT)
    told: list[str] = []
    running = asyncio.ensure_future(rekey.forever(desk, told.append, every=0.01))
    while not told:  # noqa: ASYNC110 - a loop is under test
        await asyncio.sleep(0.01)
    assert told == ["cannot use root.key: No space left on device"] == [desk.vault.stuck]
    assert {row.root for row in await rows(desk)} == set(unsealer(desk).held.ids)
    assert await opened(desk) == secrets
    unsealer(desk).failing = ""
    desk.vault.begun.set()
    async with desk.store.read() as look:
        assert await under_way(look) is not None
    while (await rows(desk, Rekey))[-1].state is not RekeyState.DONE:  # noqa: ASYNC110 - the same
        await asyncio.sleep(0.01)
    running.cancel()
    assert len(unsealer(desk).wishes) >= 3


async def test_a_vault_that_does_not_open_is_not_moved(desk: Desk) -> None:
    await fill(desk)
    unsealer(desk).held = RootKeys.of([os.urandom(32)])
    async with desk.store.write() as writing:
        (pepper,) = await writing.find(SealedKey, purpose="pepper")
        await writing.put(replace(pepper, created_ns=7))
    with pytest.raises(VaultClosed):
        await start(desk, SYSTEM, ROOT)
    assert (await read_status(desk)).check
    assert not issubclass(VaultClosed, Conflict)


# --- killed anywhere


class Killed(BaseException):
    """A process that is no more."""


class Life:
    """Ends after so many effects, each counted before and after it takes place."""

    def __init__(self, left: int) -> None:
        self.left = left

    def tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


class MortalStore(MemoryStore):
    """A store whose user dies before or after a commit."""

    life = Life(1 << 30)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        self.life.tick()
        async with super().write() as writing:
            yield writing
        self.life.tick()


class MortalUnsealer(MemoryUnsealer):
    """A supervisor that dies before or after it wrote the seal."""

    life = Life(1 << 30)

    async def add_root(self) -> None:
        self.life.tick()
        await super().add_root()
        self.life.tick()

    async def keep_root(self, name: str, seq: int) -> None:
        self.life.tick()
        await super().keep_root(name, seq)
        self.life.tick()


async def killed_at(point: int, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the move was over before this point; whatever is stored opens right after, and it goes on to its end."""
    monkeypatch.setattr(rekey, "_AT_ONCE", 2)
    store, supervisor = MortalStore(), MortalUnsealer(os.urandom)
    tools = unseal.Tools(store, SystemClock(), SystemDice())
    desk = await unseal.open_desk(tools, supervisor, "home")
    secrets = await fill(desk, 5)
    store.life = supervisor.life = Life(point)
    try:
        await start(desk, SYSTEM, wanted)
        await advance(desk)
        over = True
    except Killed:
        over = False
    store.life = supervisor.life = Life(1 << 30)
    again = await unseal.open_desk(tools, supervisor, "home")
    assert await opened(again) == secrets, f"killed at {point}"
    begun = bool(await rows(again, Rekey))
    await advance(again)
    assert await opened(again) == secrets
    assert {row.root for row in await rows(again)} == set(supervisor.held.ids)
    assert len(supervisor.held.ids) == 1
    assert not begun or (await rows(again, Rekey))[-1].state is RekeyState.DONE
    assert first_bad(await rows(again, AuditRow)) is None
    return over


@pytest.mark.parametrize("wanted", [ROOT, TENANTS, BOTH], ids=["root", "tenant", "both"])
async def test_killed_before_or_after_any_effect_everything_opens_and_it_goes_on(
    wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for point in itertools.count():
        if await killed_at(point, wanted, monkeypatch):
            break
    assert point >= (16 if wanted.root else 10)


# --- nothing opens in the place of another


CHANGES: dict[str, Callable[[Credential], Credential]] = {
    "origin": lambda one: replace(one, origin="https://evil.example:443"),
    "version": lambda one: replace(one, version=one.version + 1),
    "id": lambda one: replace(one, id=one.id[::-1]),
    "format": lambda one: replace(one, sealed=b"CLV2" + one.sealed[4:]),
    "tenant key": lambda one: replace(one, sealed=one.sealed[:4] + b"\0\1" + one.sealed[6:]),
    "root key": lambda one: replace(one, sealed=one.sealed[:6] + b"rk_0000" + one.sealed[13:]),
}


async def test_any_two_sealed_cells_swapped_are_refused_before_during_and_after_a_move(desk: Desk) -> None:
    """All pairs of a database whose cells are under two root keys and two tenant keys."""
    await fill(desk, 12)
    move = await start(desk, SYSTEM, BOTH)
    await desk.vault.unsealer.add_root()
    await do(desk, rekey.enter, rekey=move.id)
    half = [(Credential, one.id) for one in (await rows(desk, Credential))[::2]]
    await do(desk, rekey.reseal, cells=half)
    for stage in ("during", "after"):
        async with desk.store.read() as look:
            barrier = await desk.vault.barrier(look)
        cells = await rows(desk, Credential)
        assert len({sealed_under(one.sealed) for one in cells}) == (2 if stage == "during" else 1)
        for one, other in itertools.permutations(cells, 2):
            with pytest.raises(CannotOpen):
                barrier.open(other.sealed, credential_cell(one))
        for one, change in itertools.product(cells, CHANGES):
            changed = CHANGES[change](one)
            if changed == one:
                continue
            with pytest.raises(CannotOpen):
                barrier.open(changed.sealed, credential_cell(changed))
        await advance(desk)


async def test_any_two_keys_of_the_vault_swapped_are_refused_during_a_move(desk: Desk) -> None:
    move = await start(desk, SYSTEM, BOTH)
    await desk.vault.unsealer.add_root()
    await do(desk, rekey.enter, rekey=move.id)
    kept, held = await rows(desk), unsealer(desk).held
    assert len({row.root for row in kept}) == 2
    Keyring.open(held, kept)
    for one, other in itertools.permutations(kept, 2):
        swapped = [replace(row, sealed=other.sealed) if row is one else row for row in kept]
        with pytest.raises((CannotOpen, WrongRootKey)):
            Keyring.open(held, swapped)
        renamed = [replace(row, root=other.root) if row is one else row for row in kept]
        if other.root != one.root:
            with pytest.raises((CannotOpen, WrongRootKey)):
                Keyring.open(held, renamed)
