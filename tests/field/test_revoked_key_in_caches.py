"""A revoked key lived on in the caches of other workers (BerriAI/litellm#9820, BerriAI/litellm#2149), or a request that
was under way wrote it back (BerriAI/litellm#25553).

Two workers follow one change log; a tombstone in each of them outlives whatever was read before the revocation.
"""

import asyncio
from pathlib import Path

import pytest
from tests.flow.gateway.house import another_worker, chat, open_house

from clavero.control import keys
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.domain.keys import Key, KeyState

LONG = [{"role": "user", "content": "Please write 400 words."}]


@pytest.mark.requirement(73)
async def test_every_worker_refuses_a_revoked_key_within_a_second(tmp_path: Path) -> None:
    async with open_house(tmp_path / "data") as first, another_worker(first) as second:
        await first.simulated()
        key = await first.key()
        await second.published()
        for worker in (first, second):
            assert (await worker.post("/v1/chat/completions", chat(), key)).status == 200
        await perform(first.desk, SYSTEM, keys.revoke, name="prod-app-chat-01", reason="leaked")
        async with asyncio.timeout(1):
            for worker in (first, second):
                while (said := await worker.post("/v1/chat/completions", chat(), key)).status == 200:
                    pass
                assert said.code == "key_revoked"


async def test_a_request_under_way_does_not_write_a_revoked_key_back(tmp_path: Path) -> None:
    async with open_house(tmp_path / "data") as house:
        await house.simulated(token=0.01)
        key = await house.key()
        async with house.desk.store.read() as look:
            (before,) = await look.find(Key)
        call = await house.begin("/v1/chat/completions", chat(stream=True, messages=LONG), key)
        await call.until(b'"content"')
        await perform(house.desk, SYSTEM, keys.revoke, name="prod-app-chat-01", reason="leaked")
        await call.end()
        await house.last()
        view = house.plugs.view
        view.apply(view.seq + 1, Key, [before.id], [before])  # read before, applied after
        view.load(view.seq + 2, {Key: [before]})
        grant = view.grant(before.id)
        assert grant is None or grant.key.state is KeyState.REVOKED
        assert (await house.post("/v1/chat/completions", chat(), key)).status == 401
