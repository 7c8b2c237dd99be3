"""Every operation there is, driven once: one audit row, a row of the change log for each object, or nothing at all."""

import importlib
import pkgutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.control.desk import open_desk
from tests.unit.control.drives import DRIVES, do, make

from clavero import control
from clavero.adapters.storage.rows import REGISTRY
from clavero.adapters.storage.store import SqlStore
from clavero.control import commit, organisation
from clavero.control.commit import OPERATIONS, REFUSED, Desk, operation, perform
from clavero.domain import audit
from clavero.domain.access import Actor, Role
from clavero.domain.audit import AuditRow, first_bad
from clavero.domain.organisation import Team
from clavero.domain.refusals import Forbidden
from clavero.domain.secret import MASK
from clavero.testing.clock import StoppedClock

for module in pkgutil.iter_modules(control.__path__):
    importlib.import_module(f"clavero.control.{module.name}")

AUDITOR = Actor(id="token x", role=Role.AUDITOR)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        yield opened


async def trail(desk: Desk) -> list[AuditRow]:
    async with desk.store.read() as look:
        return await look.find(AuditRow)


async def log(desk: Desk) -> list[tuple[str, str]]:
    async with desk.store.read() as look:
        return [(row["kind"], row["id"]) for row in await look.rows("change_log_all")]


async def everything(desk: Desk) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that an operation can touch."""
    assert isinstance(desk.store, SqlStore)
    found = {}
    async with desk.store._engine.connect() as connection:
        for table in [*(stored.table for stored in REGISTRY), "change_log", "ledger"]:
            rows = await connection.execute(text("SELECT * FROM " + table))
            found[table] = [tuple(row) for row in rows]
    return found


def test_every_operation_has_a_drive() -> None:
    """Whoever adds an operation says here how it is driven, and so has it counted."""
    registered = {name for name in OPERATIONS if not name.startswith("test.") or name == "test.make"}
    assert registered == set(DRIVES)


@pytest.mark.parametrize("name", DRIVES)
async def test_an_operation_is_one_audit_row_and_a_log_row_for_each_object(desk: Desk, name: str) -> None:
    work, kwargs = await DRIVES[name](desk)
    assert OPERATIONS[name].work is work
    before, logged, state = await trail(desk), await log(desk), await everything(desk)
    actor = Actor(id="token 1", kind="token", address="10.0.0.7", session="s", level="token", request_id="r")
    await perform(desk, actor, work, **kwargs)
    rows, state_after = await trail(desk), await everything(desk)
    (row,) = rows[len(before) :]
    assert (row.action, row.actor, row.address, row.session, row.level) == (name, "token 1", "10.0.0.7", "s", "token")
    assert first_bad(rows) is None
    touched = (await log(desk))[len(logged) :]
    changed = {
        stored.table
        for stored in REGISTRY
        if stored.type is not AuditRow and state[stored.table] != state_after[stored.table]
    }
    assert touched, "an operation that touches nothing is no operation"
    assert changed <= {kind for kind, _ in touched}
    assert (row.object_kind, row.object_id) in touched
    assert len(touched) == len(set(touched))


@pytest.mark.parametrize("name", DRIVES)
async def test_an_operation_whose_audit_row_cannot_be_written_leaves_nothing(
    desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, kwargs = await DRIVES[name](desk)
    before = await everything(desk)

    def fail(_row: AuditRow, _previous: str) -> AuditRow:
        raise OSError("no space left on device")

    monkeypatch.setattr(audit, "link", fail)  # the last step of every operation; no real trouble can be timed so
    with pytest.raises(Exception, match="full"):
        await do(desk, work, **kwargs)
    assert await everything(desk) == before


@pytest.mark.parametrize("name", DRIVES)
async def test_a_role_without_the_permission_changes_nothing(desk: Desk, name: str) -> None:
    """An authenticated stranger to this operation is not authorised for it (CVE-2025-59305)."""
    work, kwargs = await DRIVES[name](desk)
    before = await everything(desk)
    with pytest.raises(Forbidden):
        await perform(desk, AUDITOR, work, **kwargs)
    after = await everything(desk)
    assert {**after, "audit": before["audit"]} == before
    row = (await trail(desk))[-1]
    assert (row.action, row.actor, row.object_kind, row.object_id) == (REFUSED, AUDITOR.id, "permission", name)


async def test_a_refused_permission_is_kept_once_an_hour_so_that_nobody_fills_the_table(
    desk: Desk, clock: StoppedClock
) -> None:
    async def tried(actor: Actor = AUDITOR) -> int:
        for _ in range(3):
            with pytest.raises(Forbidden):
                await perform(desk, actor, organisation.add_team, name="x")
        return len(await trail(desk))

    assert await tried() == 1
    assert await tried(Actor(id="token y", role=Role.AUDITOR)) == 2
    clock.advance(3601)
    assert await tried() == 3
    assert first_bad(await trail(desk)) is None


async def test_an_operation_that_fails_half_way_leaves_nothing(desk: Desk) -> None:
    before = await everything(desk)
    with pytest.raises(RuntimeError):
        await do(desk, make, names=["a", "boom"])
    assert await everything(desk) == before


async def test_the_digests_are_those_of_the_object_before_and_after(desk: Desk) -> None:
    await do(desk, organisation.add_team, name="a")
    await do(desk, organisation.remove_team, name="a")
    added, removed = await trail(desk)
    assert (added.before, removed.after) == ("", "")
    assert added.after == removed.before == audit.digest(Team(name="a", created_ns=desk.clock.wall_ns()))


async def test_a_secret_in_a_reason_goes_no_further(desk: Desk) -> None:
    secret = "sk-" + "a" * 40
    await do(desk, make, names=["a"], reason=f"pasted {secret}\n\ud800 in a hurry" + "x" * 1000)
    reason = (await trail(desk))[-1].reason
    assert secret not in reason
    assert reason.startswith(f"pasted {MASK}  ")
    assert len(reason) == 500


async def test_many_objects_are_put_at_once_with_what_they_were(desk: Desk) -> None:
    @operation("test.many")
    async def many(change: commit.Changing, *, teams: list[Team]) -> None:
        await change.put_all([])
        await change.put_all(teams)

    try:
        await do(desk, make, names=["a"])
        await do(desk, many, teams=[Team(name=name, created_ns=5) for name in "ab"])
        async with desk.store.read() as look:
            assert [team.created_ns for team in await look.find(Team)] == [5, 5]
        digests = [audit.digest(Team(name="a")), ""]
        assert (await trail(desk))[-1].before == audit.digest_of(digests)
    finally:
        del OPERATIONS["test.many"]


def test_two_operations_never_share_a_name() -> None:
    with pytest.raises(ValueError, match=r"test\.make"):
        operation("test.make")(make)


def test_the_name_of_an_operation_is_a_noun_and_a_verb() -> None:
    for name in OPERATIONS:
        noun, _, verb = name.partition(".")
        assert noun.isidentifier(), name
        assert verb.isidentifier(), name
