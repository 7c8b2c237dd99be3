"""What every store keeps to, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.domain.audit import BEGINNING, AuditRow, first_bad, link
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.keys import Key, KeyState, KeyVersion, Kid
from clavero.domain.organisation import Team
from clavero.domain.startup import StartFailure

KEY = Key(
    id=Kid("0123456789AB"), name="prod-x-01", owner="asha", service="x", environment="prod", models=("gpt-*", "ñ"),
    versions=(KeyVersion(1, b"\x00\xff", 1, "abcd", 2**62),), expires_ns=2**62,
)  # fmt: skip
BUDGET = Budget(
    id=budget_id(Subject.TEAM, "x", Window.DAY), subject=Subject.TEAM, name="x", window=Window.DAY, limit_n=10**18
)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    if request.param == "sqlite":
        made = sqlite_store(tmp_path / "clavero.db")
    else:
        url: str = request.getfixturevalue("postgres_url")
        made = postgres_store(url)
        async with made._engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
    await made.open()
    yield made
    await made.close()


async def test_what_is_put_is_read_again_whole(store: SqlStore) -> None:
    async with store.write() as change:
        await change.put(KEY)
        await change.put(BUDGET)
        assert change.name_of(KEY) == ("virtual_key", KEY.id)
    async with store.read() as look:
        assert await look.get(Key, KEY.id) == KEY
        assert await look.find(Key, name="prod-x-01") == [KEY]
        assert await look.get(Budget, BUDGET.id) == BUDGET
        assert await look.get(Key, "nobody") is None
        assert await look.find(Key, owner="nobody") == []


async def test_putting_again_replaces(store: SqlStore) -> None:
    revoked = replace(KEY, state=KeyState.REVOKED)
    for key in (KEY, revoked):
        async with store.write() as change:
            await change.put(key)
    async with store.read() as look:
        assert await look.find(Key) == [revoked]


async def test_a_failed_transaction_leaves_nothing(store: SqlStore) -> None:
    async def fail() -> None:
        async with store.write() as change:
            await change.put(KEY)
            await change.log("virtual_key", KEY.id, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.read() as look:
        assert await look.find(Key) == []


async def test_what_is_deleted_is_gone(store: SqlStore) -> None:
    async with store.write() as change:
        await change.put(Team(name="x"))
        await change.delete(Team, "x")
    async with store.read() as look:
        assert await look.find(Team) == []


async def test_the_audit_chain_cannot_fork(store: SqlStore) -> None:
    async def append(number: int) -> None:
        async with store.write() as change:
            seq, previous = await change.audit_head()
            await asyncio.sleep(0)
            row = AuditRow(
                seq=seq + 1,
                at_ns=number,
                actor=str(number),
                actor_kind="system",
                action="x.y",
                object_kind="",
                object_id="",
            )
            await change.put(link(row, previous))

    await asyncio.gather(*(append(number) for number in range(12)))
    async with store.read() as look:
        rows = await look.find(AuditRow)
        assert len(rows) == 12
        assert first_bad(sorted(rows, key=lambda row: row.seq)) is None
        assert rows[0].previous == BEGINNING


async def test_a_second_opening_finds_what_the_first_made(store: SqlStore) -> None:
    async with store.write() as change:
        await change.put(KEY)
    await store.open()
    async with store.read() as look:
        assert await look.get(Key, KEY.id) == KEY


@pytest.mark.parametrize(("version", "code"), [("99", "database_newer"), ("0", "database_older")])
async def test_a_schema_that_is_not_ours_is_refused(store: SqlStore, version: str, code: str) -> None:
    async with store._engine.begin() as connection:
        await connection.execute(text("UPDATE meta SET value = :version"), {"version": version})
    with pytest.raises(StartFailure) as caught:
        await store.open()
    assert caught.value.code == code


async def test_a_lowered_limit_reaches_the_ledger_in_the_same_transaction(store: SqlStore) -> None:
    async with store.write() as change:
        await change.put(BUDGET)
    async with store._engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO ledger (budget_id, period_start, limit_n, posted) VALUES (:id, 0, 10, 8)"),
            {"id": BUDGET.id},
        )
    async with store.write() as change:
        await change.put(replace(BUDGET, limit_n=5))
        await change.run("apply_limit", budget=BUDGET.id, limit=5)
    async with store.read() as look:
        (row,) = await look.rows("ledger_rows", since=0)
        assert (row["limit_n"], row["posted"], row["excess"]) == (5, 8, 3)


async def test_every_named_query_runs(store: SqlStore) -> None:
    values = {
        "since": 0, "until": 99_999, "request": "x", "before": 2**62, "key": "", "service": "", "model": "", "status": 0,
        "code": "", "most": 10, "bucket": 60_000_000_000, "after": 0, "budget": "x",
    }  # fmt: skip
    from clavero.adapters.storage.queries import GROUPS, QUERIES

    async with store.read() as look:
        for name, sql in QUERIES.items():
            await look.rows(name, **{key: value for key, value in values.items() if f":{key}" in sql})
        for group in GROUPS:
            assert (
                await look.rows(f"usage_by:{group},model" if group != "model" else "usage_by:model", since=0, until=9)
                == []
            )
