import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from clavero.bootstrap.unsealed import Unsealed
from clavero.domain.credentials import Credential, CredentialState
from clavero.domain.sealing import Purpose, SealedKey
from clavero.domain.secret import Secret
from clavero.testing.publication import MemoryPublication
from clavero.testing.store import MemoryStore, State
from clavero.vault.barrier import Barrier
from clavero.vault.columns import credential_cell
from clavero.vault.keyring import Keyring, RootKey, RootKeys, WrongRootKey

ROOT, NEW = RootKey(b"\1" * 32), RootKey(b"\2" * 32)
SECRET = Secret("sk-" + "a" * 30)


def credential(ring: Keyring) -> Credential:
    bare = Credential(id="c1", provider="p", version=1, origin="https://a.example:443", sealed=b"", last_four="")
    return Credential(
        id="c1", provider="p", version=1, origin=bare.origin, last_four="",
        sealed=Barrier(ring, os.urandom).seal(SECRET, credential_cell(bare)),
    )  # fmt: skip


class World(MemoryPublication):
    """What is stored; `between` happens after the keys were read, once."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        super().__init__(self.store)
        self.ring = Keyring.open(ROOT, Keyring.create(ROOT, os.urandom, 5))
        self.between: Callable[[], None] = lambda: None
        self.looks = 0
        self.keep(self.ring.rows, credential(self.ring))

    def keep(self, rows: Sequence[SealedKey], held: Credential) -> None:
        self.store.state = State({SealedKey: {row.id: row for row in rows}, Credential: {held.id: held}})
        self.held = held

    def every(self, kind: Any) -> Any:
        self.looks += 1
        before, self.between = self.between, lambda: None
        before()
        return super().every(kind)


@pytest.fixture
def world() -> World:
    return World()


def unsealed(world: World, said: list[str], *roots: RootKey) -> Unsealed:
    values = [root.value for root in roots or (ROOT,)]
    return Unsealed(world, os.urandom, values, lambda *what, **_facts: said.append(str(what[0])))


def test_what_was_read_opens_and_peppers_are_there(world: World) -> None:
    said: list[str] = []
    vault = unsealed(world, said)
    assert vault.peppers() == {}
    assert vault.open(world.held) is None
    assert vault.read([world.held]) == [world.held]
    assert vault.open(world.held) == SECRET
    assert set(vault.peppers()) == {1}
    assert said == ["credential_cannot_open"]


def test_a_cell_whose_key_was_destroyed_between_two_reads_is_read_again(world: World) -> None:
    stale = world.held

    def rekeyed() -> None:
        ring = Keyring.open(ROOT, world.ring.rows)
        ring.add(Purpose.TENANT, os.urandom, 6, "default")
        rows = [row for row in ring.rows if row.id != "tenant/default/1"]
        world.keep(rows, credential(ring))

    world.between = rekeyed
    said: list[str] = []
    vault = unsealed(world, said)
    (read,) = vault.read([stale])
    assert read == world.held != stale
    assert vault.open(read) == SECRET
    assert (world.looks, said) == (2, [])


def test_a_cell_that_never_opens_is_not_waited_for_without_end(world: World) -> None:
    broken = Credential(
        id="c1", provider="p", version=1, origin="https://evil.example", sealed=world.held.sealed, last_four=""
    )
    world.keep(world.ring.rows, broken)
    said: list[str] = []
    vault = unsealed(world, said)
    assert vault.read([broken]) == [broken]
    assert vault.open(broken) is None
    assert said == ["credential_cannot_open"]
    assert world.looks < 10


def test_a_retired_credential_is_not_tried(world: World) -> None:
    gone = Credential(
        id="c1", provider="p", version=1, origin="", sealed=b"", last_four="", state=CredentialState.RETIRED
    )
    vault = unsealed(world, [])
    assert vault.read([gone]) == [gone]
    assert world.looks == 1


def test_root_keys_are_taken_and_named_and_the_wrong_ones_leave_what_was_open(world: World) -> None:
    vault = unsealed(world, [])
    vault.read([])
    assert vault.take_roots([NEW.value]) == RootKeys(NEW).ids
    with pytest.raises(WrongRootKey):
        vault.read([])
    assert vault.open(world.held) == SECRET
