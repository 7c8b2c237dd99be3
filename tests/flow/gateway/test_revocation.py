"""Keys that end while they are used: the next request is refused, what is open is cut, nobody else notices."""

import asyncio
from typing import Any

import pytest
from tests.flow.gateway.house import House, Said, chat

from clavero.control import keys
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.domain.keys import Key
from clavero.simulator.faults import Fault

LONG = [{"role": "user", "content": "Please write 400 words."}]
STREAM: dict[str, Any] = chat("slow/gpt-4o-mini", stream=True, messages=LONG)
BOUND = 1.0  # seconds from the return of `revoke` to the first refusal


async def refused(house: House, key: str) -> Said:
    """The first refusal of a key; it comes within its bound."""
    async with asyncio.timeout(BOUND):
        while (said := await house.post("/v1/chat/completions", chat(), key)).status == 200:
            pass
    return said


@pytest.mark.requirement(73)
async def test_revoking_a_key_cuts_its_streams_and_refuses_the_next_request_while_others_go_on(house: House) -> None:
    await house.simulated("slow", ["none"], token=0.01)
    key, other = await house.key(), await house.key("prod-app-chat-02")
    await house.budget("50")
    streams = [await house.begin("/v1/chat/completions", STREAM, key) for _ in range(20)]
    unharmed = [
        await house.begin("/v1/chat/completions", {**STREAM, "max_completion_tokens": 120}, other) for _ in range(3)
    ]
    await asyncio.gather(*(call.until(b'"content"') for call in [*streams, *unharmed]))
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01", reason="leaked")
    said = await refused(house, key)
    assert (said.status, said.code) == (401, "key_revoked")
    assert "asha" in said.error["message"]
    async with asyncio.timeout(5):
        cut = await asyncio.gather(*(call.end() for call in streams))
    for one in cut:
        assert one.status == 200
        assert one.words
        assert one.code == "key_revoked"
        assert "[DONE]" not in one.text
    for whole in await asyncio.gather(*(call.end() for call in unharmed)):
        assert whole.text.endswith("data: [DONE]\n\n")
    assert (await house.post("/v1/chat/completions", chat(), other)).status == 200
    await house.until(lambda: house.simulators["slow"].invoice.left == 20)
    rows = await house.rows()
    house.check(rows)
    ended = [row for row in rows if row["code"] == "key_revoked" and row["status"] == 200]
    assert len(ended) == 20
    assert {(row["outcome"], row["flag"]) for row in ended} == {("partial", "partial")}
    assert min(row["cost_n"] for row in ended) > 0


async def test_a_revoked_key_has_its_plain_calls_ended_too(house: House) -> None:
    await house.simulated("slow", ["none"], first_token=30.0)
    house.plugs.deadlines = type(house.plugs.deadlines)(1.0, 30.0, 30.0, 60.0)
    key = await house.key()
    call = await house.begin("/v1/chat/completions", chat("slow/gpt-4o-mini"), key)
    await house.until(lambda: house.simulators["slow"].invoice.requests)
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01", reason="leaked")
    said = await call.end()
    assert (said.status, said.code) == (401, "key_revoked")
    rows = await house.rows()
    assert [(row["code"], row["final"]) for row in rows] == [("key_revoked", 0), ("key_revoked", 1)]


async def test_a_revoked_key_does_not_wait_for_its_next_attempt(house: House) -> None:
    house.simulators["primary"].faults.plan(Fault.RATE_LIMITED, 5)
    key = await house.key()
    call = await house.begin("/v1/chat/completions", chat(), key)
    await house.until(lambda: house.simulators["primary"].invoice.requests)
    await house.until_quiet()
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01", reason="leaked")
    async with asyncio.timeout(BOUND):
        said = await call.end()
    assert (said.status, said.code) == (401, "key_revoked")
    assert house.simulators["primary"].invoice.requests == 1


@pytest.mark.requirement(73)
async def test_a_disabled_key_is_cut_and_refused_until_it_is_enabled(house: House) -> None:
    await house.simulated("slow", ["none"], token=0.01)
    key = await house.key()
    call = await house.begin("/v1/chat/completions", STREAM, key)
    await call.until(b'"content"')
    await perform(house.desk, SYSTEM, keys.disable, name="prod-app-chat-01")
    assert (await refused(house, key)).code == "key_disabled"
    assert (await call.end()).code == "key_disabled"
    await perform(house.desk, SYSTEM, keys.enable, name="prod-app-chat-01")
    await house.published()
    assert (await house.post("/v1/chat/completions", chat(), key)).status == 200


async def test_a_rotated_key_works_in_both_versions_for_its_grace_and_then_in_the_new_one(house: House) -> None:
    old = await house.key()
    new = (await perform(house.desk, SYSTEM, keys.rotate, name="prod-app-chat-01")).secret.reveal()
    await house.published()
    for key in (old, new):
        assert (await house.post("/v1/chat/completions", chat(), key)).status == 200
    assert [row["key_version"] for row in await house.rows()] == [1, 2]
    newest = await perform(house.desk, SYSTEM, keys.rotate, name="prod-app-chat-01", grace_ns=0)
    await house.published()
    for key in (old, new):
        said = await house.post("/v1/chat/completions", chat(), key)
        assert (said.status, said.code) == (401, "key_rotated")
    assert (await house.post("/v1/chat/completions", chat(), newest.secret.reveal())).status == 200


async def test_an_expired_key_is_refused_from_that_moment_on_without_any_job(house: House) -> None:
    key = await house.key(expires_ns=house.desk.clock.wall_ns() + 300_000_000)
    assert (await house.post("/v1/chat/completions", chat(), key)).status == 200
    await asyncio.sleep(0.35)
    said = await house.post("/v1/chat/completions", chat(), key)
    assert (said.status, said.code) == (401, "key_expired")


async def test_a_key_s_state_is_told_only_to_who_holds_its_secret(house: House) -> None:
    key = await house.key()
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01")
    await house.published()
    stranger = key[:-49] + "a" * 49
    said = await house.post("/v1/chat/completions", chat(), stranger)
    assert (said.status, said.code) == (401, "malformed_api_key")
    assert await house.rows() == []


async def test_a_look_that_fails_does_not_end_the_following_of_revocations(house: House) -> None:
    key = await house.key()
    publication = house.worker._publication
    real, failed = publication.fetch, asyncio.Event()
    loop = asyncio.get_running_loop()

    def broken(kind: Any, ids: Any) -> Any:
        publication.fetch = real  # type: ignore[method-assign] # once is enough
        loop.call_soon_threadsafe(failed.set)
        raise ValueError("a row of tomorrow's version")

    publication.fetch = broken  # type: ignore[method-assign] # a fault to be met
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01")
    await asyncio.wait_for(failed.wait(), 5)
    async with asyncio.timeout(3):
        while (await house.post("/v1/chat/completions", chat(), key)).status == 200:
            pass
    assert [line for line in house.logged if "view_not_followed" in line]
    house.logged.clear()


async def test_a_write_in_flight_does_not_bring_a_revoked_key_back(house: House) -> None:
    """What was read of a key before its revocation arrives after it."""
    key = await house.key()
    async with house.desk.store.read() as look:
        (before,) = await look.find(Key, name="prod-app-chat-01")
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01")
    await house.published()
    view = house.plugs.view
    view.apply(view.seq + 1, Key, [before.id], [before])
    said = await house.post("/v1/chat/completions", chat(), key)
    assert (said.status, said.code) == (401, "key_revoked")
