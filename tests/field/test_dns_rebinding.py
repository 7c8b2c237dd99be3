"""A page elsewhere lets its name lead to this machine, or hides another address in the Host header.

CVE-2026-48710 (Starlette before 1.0.1 made a URL of an unchecked Host, and decided by it) and the rebinding of local
control panels. Asked over a real socket, since the server in front has a say in what the application hears.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from tests.flow.entrypoints.http.admin.office import Office, open_office

EVIL = [
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:4142",
    "127.0.0.1/../../metrics?",
    "localhost@evil.example",
]


@contextlib.asynccontextmanager
async def listening(office: Office) -> AsyncIterator[int]:
    """The application on a free port; the port."""
    server = uvicorn.Server(uvicorn.Config(office.app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving


async def asked(port: int, request: bytes) -> bytes:
    """Everything that is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(5):
            while more := await reader.read(65536):
                answer += more
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/keys", "/api/docs", "/"])
async def test_another_name_is_told_nothing(tmp_path: Path, path: str) -> None:
    async with open_office(tmp_path) as office, listening(office) as port:
        for host in EVIL:
            head = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()
            answer = await asked(port, head)
            assert answer.split()[1] == b"400", host
            assert b"clavero_" not in answer
        twice = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".encode()
        assert (await asked(port, twice)).split()[1] == b"400"
        absolute = f"GET http://evil.example{path} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".encode()
        assert (await asked(port, absolute)).split()[1] == b"400"
        ours = f"GET /metrics HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n".encode()
        assert (await asked(port, ours)).split()[1] == b"200"


async def test_a_body_without_end_is_not_kept(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office, listening(office) as port:
        token = office.owner.headers["authorization"].encode()
        head = b"POST /api/v1/teams HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: " + token
        head += b"\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        answer = await asked(
            port, head + b"10000\r\n" + b" " * 65536 + b"\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20
        )
        assert b"413" in answer.split(b"\r\n", 1)[0]
        assert b"body_too_large" in answer
