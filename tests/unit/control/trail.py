"""An audit trail for a test: rows that operations write, rows that somebody spoils, the row of a restore."""

from msgspec.structs import replace
from sqlalchemy import text

from clavero.adapters.storage.store import SqlStore
from clavero.control import organisation
from clavero.control.commit import Desk, perform
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow, link
from clavero.domain.checkpoints import RESTORE


async def change(desk: Desk, *names: str) -> None:
    for name in names:
        await perform(desk, SYSTEM, organisation.add_team, name=name, reason="because")


async def spoil(desk: Desk, *statements: str) -> None:
    assert isinstance(desk.store, SqlStore)
    async with desk.store._engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def put_back(desk: Desk, reason: str) -> None:
    """The row that a restore leaves."""
    row = AuditRow(
        seq=0, at_ns=1, actor="local", actor_kind="user", action=RESTORE, object_kind="", object_id="", reason=reason
    )
    async with desk.store.write() as writing:
        seq, head = await writing.audit_head()
        await writing.put(link(replace(row, seq=seq + 1), head))
