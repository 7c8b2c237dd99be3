"""A Host header must not change what is called: CVE-2026-48710, CVE-2026-49468 (path confusion by a crafted Host).

The target is taken from the request line alone, byte for byte; a Host that is more than a name and a port is refused.
"""

import pytest
from tests.flow.entrypoints.http.door import Door

CRAFTED = [
    "x/v1/models?",
    "x#",
    "x?a",
    "user@x",
    "x\\y",
    "x, y",
    "x y",
    "x:80/../admin",
    "[::1]/v1",
    "%2e%2e",
    "x%2f",
    "",
    ":80",
]


@pytest.mark.parametrize("host", CRAFTED)
async def test_a_host_that_is_more_than_a_name_and_a_port_is_refused(host: str) -> None:
    door = Door()
    await door.open()
    said = await door.say(f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await door.server.stop(1)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert not door.requests


@pytest.mark.parametrize(
    "target", ["http://x/v1/models", "//x/v1/models", "/v1/../v1/models", "/v1/models/../../health"]
)
async def test_a_target_is_never_mended_into_one_that_is_served(target: str) -> None:
    door = Door()
    await door.open()
    await door.say(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await door.server.stop(1)
    assert [request.path for request in door.requests] == ([target] if target.startswith("/") else [])


async def test_a_second_host_is_refused() -> None:
    door = Door()
    await door.open()
    said = await door.say(b"GET / HTTP/1.1\r\nHost: good\r\nHost: evil\r\n\r\n")
    await door.server.stop(1)
    assert said.startswith(b"HTTP/1.1 400 ")
