from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control.commit import OPERATIONS, Changing, Desk, operation, perform
from clavero.domain.access import SYSTEM, Actor, Role
from clavero.domain.audit import AuditRow, first_bad
from clavero.domain.organisation import Team
from clavero.domain.refusals import Forbidden


@operation("test.make")
async def make(change: Changing, *, names: list[str], reason: str = "") -> None:
    for name in names:
        await change.put(Team(name=name))
    if "boom" in names:
        raise RuntimeError


async def test_a_change_is_one_audit_row_and_one_log_row_for_each_object(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        secret = "sk-" + "a" * 40
        await perform(desk, SYSTEM, make, names=["a", "b"], reason=f"pasted {secret}")
        async with desk.store.read() as look:
            rows = await look.find(AuditRow)
            log = await look.rows("change_log_all")
        assert [row.action for row in rows if row.action == "test.make"] == ["test.make"]
        assert secret not in rows[-1].reason
        assert [(row["kind"], row["id"]) for row in log][-2:] == [("team", "a"), ("team", "b")]
        assert first_bad(rows) is None


async def test_a_failed_operation_leaves_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        before = await _rows(desk)
        with pytest.raises(RuntimeError):
            await perform(desk, SYSTEM, make, names=["a", "boom"])
        assert await _rows(desk) == before
        async with desk.store.read() as look:
            assert await look.find(Team, name="a") == []


async def test_a_role_without_the_permission_changes_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        with pytest.raises(Forbidden):
            await perform(desk, Actor(id="x", role=Role.AUDITOR), make, names=["a"])
        async with desk.store.read() as look:
            assert await look.find(Team, name="a") == []


def test_two_operations_never_share_a_name() -> None:
    with pytest.raises(ValueError, match=r"test\.make"):
        operation("test.make")(make)
    assert OPERATIONS["test.make"].work is make


async def _rows(desk: Desk) -> int:
    async with desk.store.read() as look:
        return len(await look.find(AuditRow))
