"""What every publication keeps to, on SQLite, on PostgreSQL and in memory."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from sqlalchemy import text

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage import publication as publication_module
from clavero.adapters.storage.publication_postgres import PostgresPublication
from clavero.adapters.storage.publication_sqlite import SqlitePublication
from clavero.adapters.storage.rows import from_row
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.domain.keys import Key, Kid
from clavero.domain.organisation import Service, Team
from clavero.domain.retention import Behind
from clavero.ports.publication import Publication
from clavero.ports.store import Store
from clavero.testing.publication import MemoryPublication
from clavero.testing.store import MemoryStore

Published = tuple[SqlStore | MemoryStore, Publication]


def key(number: int) -> Key:
    return Key(id=Kid(f"{number:012d}"), name=f"prod-x-{number:02d}", owner="asha", service="x", environment="prod")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def published(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Published]:
    publication: Publication
    store: SqlStore | MemoryStore
    if request.param == "memory":
        store = MemoryStore()
        publication = MemoryPublication(store)
    elif request.param == "sqlite":
        store = sqlite_store(tmp_path / "clavero.db")
        publication = SqlitePublication(tmp_path / "clavero.db", SystemClock())
    else:
        url: str = request.getfixturevalue("postgres_url")
        store = postgres_store(url)
        async with store._engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        publication = PostgresPublication(url, SystemClock())
    yield store, publication
    publication.close()
    await store.close()


async def put(store: Store, *keys: Key) -> None:
    async with store.write() as change:
        for one in keys:
            await change.put(one)
            await change.log("virtual_key", one.id, 1)


async def test_before_there_is_a_schema_it_says_that_it_is_away(published: Published) -> None:
    _, publication = published
    if isinstance(publication, MemoryPublication):
        publication.away = True
    with pytest.raises(ConnectionError):
        publication.load()


async def test_a_load_gives_everything_and_where_it_stands(published: Published) -> None:
    store, publication = published
    await store.open()
    await put(store, key(1), key(2))
    seq, things = publication.load()
    assert seq == 2
    assert sorted(things[Key], key=str) == [key(1), key(2)]
    assert things[Service] == []
    assert Team not in things


async def test_a_change_is_told_once_and_its_rows_are_fetched(published: Published) -> None:
    store, publication = published
    await store.open()
    seq, _ = publication.load()
    assert publication.wait(seq, 0.0) == []
    await put(store, key(1))
    (change,) = publication.wait(seq, 5.0)
    assert (change.kind, change.id) == ("virtual_key", key(1).id)
    assert publication.wait(change.seq, 0.0) == []
    assert publication.fetch(Key, [key(1).id, "nobody"]) == [key(1)]
    assert publication.fetch(Key, [key(number).id for number in range(1200)]) == [key(1)]


async def test_a_waiting_worker_is_woken(published: Published) -> None:
    store, publication = published
    await store.open()
    seq, _ = publication.load()
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.extend(change.id for change in publication.wait(seq, 30.0)))
    thread.start()
    await asyncio.sleep(0.2)
    await put(store, key(7))
    await asyncio.to_thread(thread.join, 10)
    assert heard == [key(7).id]


async def test_what_workers_do_not_need_is_not_told(published: Published) -> None:
    store, publication = published
    await store.open()
    seq, _ = publication.load()
    async with store.write() as change:
        await change.put(Team(name="x"))
        await change.log("team", "x", 1)
    assert publication.wait(seq, 0.1) == []


async def test_changes_that_commit_while_it_loads_are_not_lost(published: Published) -> None:
    store, publication = published
    await store.open()

    async def many() -> None:
        for number in range(40):
            await put(store, key(number))

    writing = asyncio.ensure_future(many())
    known: dict[str, Key] = {}
    seq, things = await asyncio.to_thread(publication.load)
    known |= {one.id: one for one in things[Key] if isinstance(one, Key)}
    await writing
    while changes := publication.wait(seq, 0.0):
        seq = max(seq, *(change.seq for change in changes))
        known |= {one.id: one for one in publication.fetch(Key, [change.id for change in changes])}
    assert len(known) == 40


async def test_numbers_come_in_the_order_of_the_commits(published: Published) -> None:
    """A number that is drawn first and commits last would be passed over by who waits for what is above the newest."""
    store, publication = published
    await store.open()
    seq, _ = publication.load()
    drawn = asyncio.Event()

    async def slow() -> None:
        async with store.write() as change:
            await change.log("virtual_key", "slow", 1)
            drawn.set()
            await asyncio.sleep(0.1)

    async def fast() -> None:
        await drawn.wait()
        await put(store, key(2))

    await asyncio.gather(slow(), fast())
    changes = publication.wait(seq, 5.0)
    assert [change.id for change in changes] == ["slow", key(2).id]
    assert changes[0].seq < changes[1].seq


async def test_what_is_gone_is_told_and_no_longer_fetched(published: Published) -> None:
    store, publication = published
    await store.open()
    await put(store, key(1))
    seq, _ = publication.load()
    async with store.write() as change:
        await change.delete(Key, key(1).id)
        await change.log("virtual_key", key(1).id, 2)
    assert [change.id for change in publication.wait(seq, 5.0)] == [key(1).id]
    assert publication.fetch(Key, [key(1).id]) == []


async def test_a_thousand_changes_at_once_are_all_told(published: Published) -> None:
    store, publication = published
    await store.open()
    seq, _ = publication.load()
    async with store.write() as change:
        await change.put_all([key(number) for number in range(1000)])
        await change.log_all([("virtual_key", key(number).id) for number in range(1000)], 1)
    changes = publication.wait(seq, 5.0)
    assert len(publication.fetch(Key, [change.id for change in changes])) == 1000


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_a_load_of_several_pages_gives_everything_once(
    published: Published, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(publication_module, "_PAGE_ROWS", 3)  # five thousand would make a slow test
    store, publication = published
    await store.open()
    if count:
        await put(store, *(key(number) for number in range(count)))
    _, things = publication.load()
    assert sorted(things[Key], key=str) == [key(number) for number in range(count)]


async def test_a_load_that_decodes_for_long_keeps_no_transaction_open(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends a session that sleeps for a second within a transaction, and a writer would wait for SQLite's."""
    store, publication = published
    await store.open()
    await put(store, key(1))

    def slow(kind: type[Struct], row: Sequence[object]) -> Struct:
        time.sleep(1.2)
        return from_row(kind, row)

    monkeypatch.setattr(publication_module, "from_row", slow)  # a hundred thousand rows would make a slow test
    assert publication.load()[1][Key] == [key(1)]


async def test_all_objects_of_one_kind_are_read_by_themselves(published: Published) -> None:
    store, publication = published
    await store.open()
    async with store.write() as change:
        for one in (key(1), key(2)):
            await change.put(one)
        await change.put(Team(name="support"))
    assert [one.id for one in await asyncio.to_thread(publication.every, Key)] == [key(1).id, key(2).id]
    assert await asyncio.to_thread(publication.every, Service) == []


async def test_who_has_not_heard_of_what_is_forgotten_is_told_so(published: Published) -> None:
    """Changes are forgotten after a while; a worker that was away for longer must not take silence for peace."""
    store, publication = published
    if isinstance(store, MemoryStore):
        return  # it forgets nothing
    await store.open()
    await put(store, *[key(number) for number in range(1, 6)])
    changes = await asyncio.to_thread(publication.wait, 0, 0)
    last = changes[-1].seq
    async with store._engine.begin() as connection:
        await connection.execute(text("DELETE FROM change_log WHERE seq < :last"), {"last": last})
    with pytest.raises(Behind):
        await asyncio.to_thread(publication.wait, changes[0].seq, 0)
    assert await asyncio.to_thread(publication.wait, last, 0) == []
    assert [one.seq for one in await asyncio.to_thread(publication.wait, last - 1, 0)] == [last]
    assert (await asyncio.to_thread(publication.load))[0] == last
