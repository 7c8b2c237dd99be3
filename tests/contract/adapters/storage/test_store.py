"""What every store keeps to, on SQLite, on PostgreSQL and in memory."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event, text

from clavero.adapters.storage.queries import QUERIES
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.usage_queries import GROUPS
from clavero.domain.audit import BEGINNING, AuditRow, first_bad, link
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.keys import Key, KeyState, KeyVersion, Kid
from clavero.domain.organisation import Team
from clavero.domain.refusals import Conflict, InvalidValue, StorageUnavailable
from clavero.domain.startup import StartFailure
from clavero.ports.store import Store
from clavero.testing.store import MemoryStore

KEY = Key(
    id=Kid("0123456789AB"), name="prod-x-01", owner="asha", service="x", environment="prod", models=("gpt-*", "ñ"),
    versions=(KeyVersion(1, b"\x00\xff", 1, "abcd", 2**62),), expires_ns=2**62,
)  # fmt: skip
BUDGET = Budget(
    id=budget_id(Subject.TEAM, "x", Window.DAY), subject=Subject.TEAM, name="x", window=Window.DAY, limit_n=10**18
)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore | MemoryStore]:
    made = MemoryStore() if request.param == "memory" else await _database(request.param, request, tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    made = await _database(request.param, request, tmp_path)
    await made.open()
    yield made
    await made.close()


async def _database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> SqlStore:
    if kind == "sqlite":
        return sqlite_store(tmp_path / "clavero.db")
    made = postgres_store(request.getfixturevalue("postgres_url"))
    await _empty(made)
    return made


async def test_what_is_put_is_read_again_whole(store: Store) -> None:
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


async def test_putting_again_replaces(store: Store) -> None:
    revoked = replace(KEY, state=KeyState.REVOKED)
    for key in (KEY, revoked):
        async with store.write() as change:
            await change.put(key)
    async with store.read() as look:
        assert await look.find(Key) == [revoked]


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as change:
            await change.put(KEY)
            await change.log("virtual_key", KEY.id, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.read() as look:
        assert await look.find(Key) == []


async def test_what_is_deleted_is_gone(store: Store) -> None:
    async with store.write() as change:
        await change.put(Team(name="x"))
        await change.delete(Team, "x")
    async with store.read() as look:
        assert await look.find(Team) == []


async def test_the_audit_chain_cannot_fork(store: Store) -> None:
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


async def test_a_second_opening_finds_what_the_first_made(database: SqlStore) -> None:
    async with database.write() as change:
        await change.put(KEY)
    await database.open()
    async with database.read() as look:
        assert await look.get(Key, KEY.id) == KEY


@pytest.mark.parametrize(("version", "code"), [("99", "database_newer"), ("0", "database_foreign")])
async def test_a_schema_that_is_not_ours_is_refused(database: SqlStore, version: str, code: str) -> None:
    async with database._engine.begin() as connection:
        await connection.execute(text("UPDATE meta SET value = :version WHERE name = 'schema'"), {"version": version})
    with pytest.raises(StartFailure) as caught:
        await database.open()
    assert caught.value.code == code


async def test_a_lowered_limit_reaches_the_ledger_in_the_same_transaction(database: SqlStore) -> None:
    async with database.write() as change:
        await change.put(BUDGET)
    async with database._engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO ledger (budget_id, period_start, limit_n, posted) VALUES (:id, 0, 10, 8)"),
            {"id": BUDGET.id},
        )
    async with database.write() as change:
        await change.put(replace(BUDGET, limit_n=5))
        await change.run("apply_limit", budget=BUDGET.id, limit=5)
    async with database.read() as look:
        (row,) = await look.rows("ledger_rows", since=0)
        assert (row["limit_n"], row["posted"], row["excess"]) == (5, 8, 3)


async def test_every_named_query_runs(database: SqlStore) -> None:
    texts = {
        "key", "service", "model", "code", "request", "beyond", "hold", "actor", "budget", "kid", "word", "name", "ending",
        "action", "what", "home",
    }  # fmt: skip
    lists = {"ids", "numbers", "days"}
    times = dict.fromkeys(("since", "head", "first_day", "end_day", "tail", "until", "most"), 1)
    async with database.read() as look:
        for name, sql in QUERIES.items():
            named = set(re.findall(r":(\w+)|\{(ids|numbers|days)\}", sql))
            values: dict[str, object] = {one or other: 1 for one, other in named}
            values |= dict.fromkeys(values.keys() & texts, "") | dict.fromkeys(values.keys() & lists, "[]")
            await look.rows(name, **(values | ({"every": True} if "every" in values else {})))
        for group in GROUPS:
            other = "model" if group != "model" else "day"
            assert await look.rows(f"usage_by:{group},{other}", **times) == []
        with pytest.raises(KeyError):
            await look.rows("usage_by:colour", **times)


async def test_writers_come_one_at_a_time_so_that_nothing_read_is_overtaken(store: Store) -> None:
    """A revoked key stays revoked, though a rotation read it before (litellm#25553)."""
    async with store.write() as change:
        await change.put(KEY)
    inside, order = asyncio.Event(), list[str]()

    async def rotate() -> None:
        async with store.write() as change:
            key = await change.get(Key, KEY.id)
            inside.set()
            await asyncio.sleep(0.05)
            assert key is not None
            await change.put(replace(key, purpose="rotated"))
            order.append("rotate")

    async def revoke() -> None:
        await inside.wait()
        async with store.write() as change:
            key = await change.get(Key, KEY.id)
            assert key is not None
            await change.put(replace(key, state=KeyState.REVOKED))
            order.append("revoke")

    await asyncio.gather(rotate(), revoke())
    async with store.read() as look:
        assert await look.get(Key, KEY.id) == replace(KEY, state=KeyState.REVOKED, purpose="rotated")
    assert order == ["rotate", "revoke"]


async def test_a_look_sees_one_state_of_things(store: Store) -> None:
    async with store.read() as look:
        assert await look.find(Team) == []
        async with store.write() as change:
            await change.put(Team(name="x"))
        assert await look.find(Team) == []
        assert await look.get(Team, "x") is None


async def test_a_name_that_is_taken_twice_at_once_is_a_conflict(store: Store) -> None:
    async with store.write() as change:
        await change.put(KEY)
    with pytest.raises(Conflict):
        async with store.write() as change:
            await change.put(replace(KEY, id=Kid("AAAAAAAAAAAA")))


@pytest.mark.parametrize("text", ["\ud800", "a\x00b"])
async def test_text_that_no_database_holds_is_refused_or_not_found(database: SqlStore, text: str) -> None:
    async def look_for() -> None:
        async with database.read() as look:
            assert await look.get(Team, text) is None

    with contextlib.suppress(InvalidValue):
        await look_for()


async def test_a_number_beyond_64_bits_is_refused(store: Store) -> None:
    with pytest.raises(InvalidValue):
        async with store.write() as change:
            await change.put(replace(BUDGET, limit_n=1 << 63))


async def test_a_field_that_no_object_has_is_a_fault_of_ours(store: Store) -> None:
    async with store.read() as look:
        with pytest.raises(AttributeError, match="Team has no colour"):
            await look.find(Team, colour="red")


async def test_the_database_has_a_name_that_stays(database: SqlStore) -> None:
    async def instance() -> str:
        async with database.read() as look:
            return next(str(row["value"]) for row in await look.rows("meta") if row["name"] == "instance")

    before = await instance()
    await database.open()
    assert len(before) == 32
    assert await instance() == before


async def test_two_that_start_at_once_make_one_schema(tmp_path: Path, postgres_url: str) -> None:
    files = [sqlite_store(tmp_path / "clavero.db") for _ in range(2)]
    servers = [postgres_store(postgres_url) for _ in range(2)]
    await _empty(servers[0])
    for stores in (files, servers):
        await asyncio.gather(*(one.open() for one in stores))
        async with stores[1].read() as look:
            assert len(await look.rows("meta")) == 3
        for one in stores:
            await one.close()


# --- trouble with the place


async def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "clavero.db").write_bytes(b"not a database at all, but long enough to be one" * 100)
    await _refused(tmp_path / "clavero.db", "the database is damaged")


async def test_a_directory_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    await _refused(tmp_path / "nowhere" / "clavero.db", "the database is away")


async def test_a_full_disk_refuses_the_change_and_keeps_what_was(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "clavero.db")
    await store.open()

    @event.listens_for(store._engine.sync_engine, "connect")
    def small(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count = 1")  # SQLite never goes below what it has
        cursor.close()

    await store._engine.dispose()
    with pytest.raises(StorageUnavailable, match="is full"):
        async with store.write() as change:
            await change.put(Team(name="x" * 1_000_000))
    async with store.read() as look:
        assert await look.find(Team) == []
    await store.close()


async def test_a_read_only_database_refuses_the_change_and_can_still_be_read(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "clavero.db")
    await store.open()

    @event.listens_for(store._engine.sync_engine, "connect")
    def read_only(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")  # what a read-only disk says, also to root
        cursor.close()

    await store._engine.dispose()
    with pytest.raises(StorageUnavailable, match="is read-only"):
        async with store.write() as change:
            await change.put(Team(name="x"))
    async with store.read() as look:
        assert await look.find(Team) == []
    await store.close()


async def test_a_server_that_is_not_there_is_refused_in_one_line() -> None:
    store = postgres_store("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StartFailure, match="the database is away") as caught:
        await store.open()
    assert caught.value.code == "database_unavailable"
    with pytest.raises(StorageUnavailable):
        async with store.read() as look:
            await look.find(Team)
    await store.close()


async def _refused(file: Path, message: str) -> None:
    store = sqlite_store(file)
    with pytest.raises(StartFailure, match=message) as caught:
        await store.open()
    assert "Traceback" not in str(caught.value)
    await store.close()
    await asyncio.sleep(0.05)  # the driver's thread ends by itself after a failed connect, and wants this loop for it


async def _empty(store: SqlStore) -> None:
    async with store._engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
