"""The admin listener over TLS and behind a proxy: uvicorn's protocol behind a door of ours."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.pairs import Made, make

from clavero.adapters.clock import SystemClock
from clavero.domain.forwarded import Proxies, read_proxies
from clavero.entrypoints.certificates import Files, Served, read_pair
from clavero.entrypoints.http.admin.arrival import Arrival
from clavero.entrypoints.http.admin.gate import Gate, Terms
from clavero.entrypoints.http.admin.listening import AdminServer, in_the_clear
from clavero.testing.clock import LoadedDice


async def tell(scope: Any, receive: Any, send: Any) -> None:
    """Who asked, and how."""
    while (await receive()).get("more_body"):
        pass
    body = json.dumps({"client": scope["client"][0], "scheme": scope["scheme"]}).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving(made: Made | None, proxies: Proxies | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """The port, and what was missed."""
    missed: list[str] = []
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    app = Arrival(
        Gate(tell, Terms(frozenset({"127.0.0.1", "localhost"}), most_bytes=1000), LoadedDice()), proxies or Proxies()
    )
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
    context = None
    if made is not None:
        files = Files(str(made.cert), str(made.key))
        context = Served(read_pair(files), files, SystemClock()).context
    server = AdminServer(config, proxies or Proxies(), context, lambda code, _address: missed.append(code))
    port = sock.getsockname()[1]
    running = asyncio.ensure_future(server.serve(sockets=[sock]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells by this flag alone
        await asyncio.sleep(0.005)
    yield port, missed
    server.should_exit = True
    await asyncio.wait_for(running, 10)


async def ask(port: int, request: bytes, made: Made | None = None) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of one answer."""
    tls = ssl.create_default_context(cafile=str(made.cert)) if made else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write(request)
    await writer.drain()
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    status, *lines = head.strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return status, headers, body


def get(host: str = "127.0.0.1", *lines: str) -> bytes:
    return "\r\n".join(["GET / HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


async def test_over_tls_any_name_is_served_and_browsers_are_told_to_stay(tmp_path: Path) -> None:
    made = make(tmp_path)
    async with serving(made) as (port, _):
        status, headers, body = await ask(port, get("console.example:4142"), made)
        assert status == "HTTP/1.1 200 OK"
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert json.loads(body) == {"client": "127.0.0.1", "scheme": "https"}
        for host in ("localhost", "localhost:4142", "a.localhost"):  # shared by all that this machine serves
            assert "strict-transport-security" not in (await ask(port, get(host), made))[1]
        assert (await ask(port, get("a b"), made))[0] == "HTTP/1.1 400 Bad Request"


async def test_plain_http_on_the_port_of_tls_reads_what_to_do(tmp_path: Path) -> None:
    async with serving(make(tmp_path)) as (port, missed):
        status, _, body = await ask(port, get())
        assert status == "HTTP/1.1 400 Bad Request"
        assert json.loads(body)["error"]["code"] == "tls_required"
        assert missed == ["tls_required"]
    assert in_the_clear().endswith(body)


async def test_in_the_clear_only_this_machine_is_served_by_its_own_names() -> None:
    async with serving(None) as (port, _):
        status, headers, _ = await ask(port, get())
        assert status == "HTTP/1.1 200 OK"
        assert "strict-transport-security" not in headers
        assert (await ask(port, get("console.example")))[0] == "HTTP/1.1 400 Bad Request"


async def test_a_proxy_is_believed_where_it_is_named_and_only_there() -> None:
    said = ("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https")
    async with serving(None, read_proxies("127.0.0.1/32")) as (port, _):
        _, headers, body = await ask(port, get("console.example", *said))
        assert json.loads(body) == {"client": "203.0.113.7", "scheme": "https"}
        assert "strict-transport-security" in headers
        _, _, body = await ask(port, get("console.example", said[0]))
        assert json.loads(body)["error"]["code"] == "tls_required"
    for proxies in (Proxies(), read_proxies("10.0.0.0/8")):
        async with serving(None, proxies) as (port, _):
            _, _, body = await ask(port, get("127.0.0.1", *said))
            assert json.loads(body) == {"client": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("lines", [("Content-Length: 3000000",), ("Content-Length: 3000000", "Connection: close")])
async def test_who_sends_too_much_reads_why_though_it_sends_on(lines: tuple[str, ...]) -> None:
    async with serving(None) as (port, _):
        request = get("127.0.0.1", *lines).replace(b"GET", b"POST") + b"x" * 3_000_000
        status, _, body = await ask(port, request)
        assert status.startswith("HTTP/1.1 413 ")
        assert json.loads(body)["error"]["code"] == "body_too_large"


async def test_who_waits_for_a_100_is_refused_before_it_sends() -> None:
    async with serving(None) as (port, _):
        request = get("127.0.0.1", "Content-Length: 3000000", "Expect: 100-continue").replace(b"GET", b"POST")
        assert (await ask(port, request))[0].startswith("HTTP/1.1 413 ")
