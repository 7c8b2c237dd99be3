"""One chat completion over a real socket, with the simulated provider in the gateway's place."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from clavero.adapters.clock import SystemClock
from clavero.domain.secret import Secret
from clavero.entrypoints.cli.call import chat
from clavero.entrypoints.cli.failure import Failure
from clavero.simulator import Simulator, SimulatorSettings, serve


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    served = await serve(settings=SimulatorSettings(first_token=0.01, token=0, faults=True), clock=SystemClock())
    yield served
    await served.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_has_its_times_and_the_tokens_it_says(simulator: Simulator, *, stream: bool) -> None:
    answered = await asyncio.to_thread(chat, simulator.url, Secret("k"), "gpt-4o-mini", stream=stream)
    assert answered.whole
    assert answered.streamed is stream
    assert (answered.tokens or 0) > 0
    assert answered.headers["x-simulated"] == "true"
    assert 0 <= answered.first_us <= answered.total_us
    assert bool(answered.first_us) is stream


async def test_a_stream_without_its_end_is_not_whole(simulator: Simulator) -> None:
    answered = await asyncio.to_thread(chat, simulator.url, Secret("k"), "gpt-4o-mini+no_done", stream=True)
    assert not answered.whole


@pytest.mark.parametrize("model", ["gpt-4o-mini+reset", "gpt-4o-mini+malformed_chunk"])
async def test_what_breaks_off_or_cannot_be_read_is_one_line(simulator: Simulator, model: str) -> None:
    with pytest.raises(Failure) as refused:
        await asyncio.to_thread(chat, simulator.url, Secret("k"), model, stream=True)
    assert refused.value.code == "no_answer"


def test_where_nobody_listens_it_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Failure) as refused:
        chat(f"http://127.0.0.1:{port}", Secret("k"), "gpt-4o-mini", stream=False)
    assert refused.value.code == "not_running"
