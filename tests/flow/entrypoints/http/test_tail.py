import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.entrypoints.http.admin.office import BOOT, Office, open_office

from clavero.domain.errors import Overloaded
from clavero.domain.ledger import BootId
from clavero.domain.refusals import NotSignedIn
from clavero.domain.usage import Exchange
from clavero.entrypoints.http import tail as tail_module
from clavero.entrypoints.http.tail import KEPT, News, Seen, Sought, Tail, chosen, event, placed
from clavero.wire.journal import Pulse, Record, Settle

ELSE = BootId("e" * 32)
ANY = Sought()


async def always() -> None:
    """Whoever watches may."""


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(tail_module, "TICK_S", 0.02)
    async with open_office(tmp_path) as opened:
        yield opened


def one(name: str, **known: object) -> Exchange:
    return Exchange(name, 1_000, **{"status": 200, **known})  # type: ignore[arg-type] # facts of a test


def names(seen: object) -> list[str]:
    assert isinstance(seen, list | tuple)
    return [each.exchange.request_id for each in seen]


async def following(office: Office, cursor: str, sought: Sought = ANY, most: int = 20) -> AsyncIterator[News]:
    return office.tail.watch(office.desk, cursor, sought, most, always)


async def test_what_was_posted_is_told_in_its_order_and_once(office: Office) -> None:
    tail = office.tail
    cursor = tail.cursor
    settled = Settle("h1", (), "partial", one("req_a"))
    tail.heard(BOOT, [settled, Record(one("req_b")), Pulse(1, 1, 0, 0, 0, 0), Record(one("req_c", final=False))])
    tail.heard(ELSE, [Record(one("req_b"))])
    found = tail.since(cursor)
    assert found is not None
    assert names(found[0]) == ["req_a", "req_b"]
    assert (found[0][0].hold_id, found[0][0].flag) == ("h1", "partial")
    assert tail.since(tail.cursor) == ([], 0)


async def test_who_fell_behind_hears_how_many_are_lost(office: Office) -> None:
    cursor = office.tail.cursor
    office.tail.heard(BOOT, [Record(one(f"req_{number}")) for number in range(KEPT + 7)])
    found = office.tail.since(cursor)
    assert found is not None
    assert (len(found[0]), found[1]) == (KEPT, 7)


@pytest.mark.parametrize("cursor", ["", "-", "other-3", "x", "9" * 40], ids=["none", "bare", "other", "x", "long"])
async def test_a_cursor_of_another_life_or_of_nobody_is_known_as_such(office: Office, cursor: str) -> None:
    office.tail.heard(BOOT, [Record(one("req_a"))])
    assert office.tail.since(cursor) is None
    life = office.tail.cursor.rpartition("-")[0]
    assert office.tail.since(f"{life}-2") is None  # nobody can have seen what was not posted yet
    assert office.tail.since(f"{life}-x") is None


async def test_a_watcher_gets_news_as_they_come_and_only_what_it_seeks(office: Office) -> None:
    coming = await following(office, office.tail.cursor, Sought(service="mail", status=200))
    assert await anext(coming) == News(office.tail.cursor, [])
    office.tail.heard(BOOT, [Record(one("req_a", service="mail")), Record(one("req_b", service="chat"))])
    office.tail.heard(BOOT, [Record(one("req_c", service="mail", status=429, code="insufficient_quota"))])
    news = await asyncio.wait_for(anext(coming), 5)
    assert (names(news.seen), news.more) == (["req_a"], 0)
    await coming.aclose()  # type: ignore[attr-defined] # an asynchronous generator


async def test_a_burst_is_cut_to_what_can_be_read_and_failures_are_in_it(office: Office) -> None:
    burst = [Seen(one(f"req_{number}", code="overloaded" if number in {3, 40} else "")) for number in range(100)]
    shown = chosen(burst, 5)
    assert names(list(shown)) == ["req_3", "req_40", "req_97", "req_98", "req_99"]
    cursor = office.tail.cursor
    office.tail.heard(BOOT, [Record(each.exchange) for each in burst])
    coming = await following(office, cursor, most=5)
    news = await anext(coming)
    assert (len(news.seen), news.more) == (5, 95)


async def test_who_comes_from_another_life_is_given_the_newest_once_more(office: Office) -> None:
    await asyncio.to_thread(office.post, one("req_a"), one("req_b"))
    coming = await following(office, "former-99")
    news = await anext(coming)
    assert sorted(names(news.seen)) == ["req_a", "req_b"]
    assert news.cursor == office.tail.cursor


async def test_what_others_posted_is_found_by_one_look_for_everybody(office: Office) -> None:
    looks = 0
    read = office.desk.store.read

    def counted() -> contextlib.AbstractAsyncContextManager[object]:
        nonlocal looks
        looks += 1
        return read()

    watching = [await following(office, office.tail.cursor) for _ in range(20)]
    for coming in watching:
        await anext(coming)
    await asyncio.to_thread(office.post, one("req_elsewhere"))
    object.__setattr__(office.desk.store, "read", counted)
    told = await asyncio.gather(*(asyncio.wait_for(anext(coming), 5) for coming in watching))
    assert all(names(news.seen) == ["req_elsewhere"] for news in told)
    assert looks <= 4  # 20 watchers, one or two ticks


async def test_one_too_many_is_told_when_to_come_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "MOST_WATCHERS", 1)
    first = await following(office, office.tail.cursor)
    await anext(first)
    second = await following(office, office.tail.cursor)
    with pytest.raises(Overloaded):
        await anext(second)
    await first.aclose()  # type: ignore[attr-defined] # an asynchronous generator
    assert office.tail.watchers == 0


async def test_who_may_no_longer_watch_is_let_go_and_so_is_everybody_at_the_end(office: Office) -> None:
    async def never() -> None:
        raise NotSignedIn

    coming = office.tail.watch(office.desk, office.tail.cursor, ANY, 20, never)
    with pytest.raises(NotSignedIn):
        async for _ in coming:
            pass
    last = await following(office, office.tail.cursor)
    await anext(last)
    office.tail.end()
    assert [news async for news in last] == []
    assert office.tail.watchers == 0


async def test_a_database_that_is_away_ends_no_watching(office: Office) -> None:
    coming = await following(office, office.tail.cursor)
    await anext(coming)
    await office.desk.store.close()
    (office.folder / "clavero.db").rename(office.folder / "away.db")
    (office.folder / "clavero.db").mkdir()
    office.tail.heard(BOOT, [Record(one("req_a"))])
    assert names((await asyncio.wait_for(anext(coming), 5)).seen) == ["req_a"]
    await coming.aclose()  # type: ignore[attr-defined] # an asynchronous generator
    await asyncio.sleep(0.2)  # a driver whose connection failed still tells so from a thread of its own


async def test_keys_are_called_by_their_names(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    office.tail.heard(BOOT, [Record(one("req_a", key_id=made["kid"])), Record(one("req_b", key_id="unknown00000"))])
    await office.tail.refresh(office.desk)
    assert office.tail.names == {made["kid"]: "prod-mail-01", "unknown00000": ""}


def test_events_are_framed_as_browsers_read_them() -> None:
    assert event("rows", "{}") == b"event: rows\ndata: {}\n\n"
    assert placed("1a-7") == b"id: 1a-7\n\n"


@pytest.mark.parametrize(
    ("sought", "fits"),
    [
        (Sought(), True),
        (Sought(model="asked"), True),
        (Sought(model="served"), True),
        (Sought(model="other"), False),
        (Sought(key_id="k", status=200), True),
        (Sought(key_id="k", code="overloaded"), False),
    ],
    ids=["any", "asked", "served", "other", "two", "code"],
)
def test_what_is_sought_is_what_the_list_would_show(sought: Sought, fits: bool) -> None:
    assert sought.fits(one("req_a", key_id="k", model_asked="asked", model_served="served")) is fits


def test_a_tail_has_a_life_of_its_own(office: Office) -> None:
    assert Tail(office.desk.clock).cursor.endswith("-0")
