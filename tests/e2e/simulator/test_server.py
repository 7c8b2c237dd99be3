"""Paths, keys, drills, and the simulator as a process of its own."""

import asyncio
import sys
from pathlib import Path

import httpx2
import pytest

from clavero.adapters.clock import SystemClock
from clavero.simulator import Simulator, SimulatorSettings, serve

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}


async def test_a_key_is_checked_where_one_is_set() -> None:
    simulator = await serve(settings=SimulatorSettings(first_token=0, token=0, api_key="right"), clock=SystemClock())
    async with httpx2.AsyncClient(base_url=simulator.url) as client:
        for headers, status in (
            ({}, 401),
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": "Bearer right"}, 200),
            ({"x-api-key": "right"}, 200),
        ):
            reply = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert reply.status_code == status
        refused = await client.post("/v1/messages", json={}, headers={"x-api-key": "wrong"})
    assert refused.json()["error"] == {"type": "authentication_error", "message": "invalid x-api-key"}
    assert "right" not in repr(SimulatorSettings(api_key="right"))
    await simulator.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("HEAD", "/", 404), ("GET", "/v1/chat/completions", 405), ("POST", "/v1/models", 405)],
)
async def test_other_paths_and_methods_are_refused(simulator: Simulator, method: str, path: str, status: int) -> None:
    async with httpx2.AsyncClient(base_url=simulator.url) as client:
        assert (await client.request(method, path)).status_code == status


async def test_anthropic_wants_its_version(simulator: Simulator) -> None:
    async with httpx2.AsyncClient(base_url=simulator.url) as client:
        reply = await client.post("/v1/messages", json={})
    assert reply.json()["error"]["message"] == "anthropic-version: header is required"
    assert reply.headers["request-id"] == reply.json()["request_id"]


async def test_drills_are_planned_and_read_over_http(simulator: Simulator) -> None:
    async with httpx2.AsyncClient(base_url=simulator.url) as client:
        await client.post("/simulator/faults", json={"fault": "error", "times": 0, "model": "gpt-4o"})
        for _ in range(2):
            assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 500
        assert (await client.post("/v1/chat/completions", json=CHAT | {"model": "gpt-4.1"})).status_code == 200
        await client.delete("/simulator/faults")
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        told = (await client.get("/simulator/invoice")).json()
        assert (await client.post("/simulator/faults", json={"fault": "nonsense"})).status_code == 400
    assert (told["requests"], told["total"]["calls"]) == (7, 2)
    assert set(told["by_model"]) == {"gpt-4o", "gpt-4.1"}


async def test_without_leave_no_caller_can_order_a_fault() -> None:
    simulator = await serve(settings=SimulatorSettings(first_token=0, token=0), clock=SystemClock())
    async with httpx2.AsyncClient(base_url=simulator.url) as client:
        assert (await client.post("/simulator/faults", json={"fault": "error"})).status_code == 404
        named = await client.post("/v1/chat/completions", json=CHAT | {"model": "gpt-4o+error"})
        assert named.json()["error"]["code"] == "model_not_found"
    await simulator.close()


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "clavero.simulator",
        "--port-file",
        str(port_file),
        "--first-token-ms",
        "0",
        "--token-ms",
        "0",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
    assert url.endswith(f":{port_file.read_text()}")
    async with httpx2.AsyncClient(base_url=url) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0
