"""Few bytes must not become many: decompression bombs (CVE-2025-66471) and unbounded trailers (CVE-2026-22815).

Inbound, a compressed body is refused before it is read, and trailers are refused. Outbound, nothing is decompressed,
and bytes that yield nothing of the answer have a bound.
"""

import gzip

import pytest
from tests.flow.adapters.upstreams.rig import Rig
from tests.flow.entrypoints.http.door import Door

from clavero.domain.calls import BadAnswer
from clavero.testing.faults import head, raw, serve_faults

BOMB = gzip.compress(b"\0" * 20_000_000)
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate, gzip", b"zstd", b"GZIP"])
async def test_a_compressed_body_is_refused_before_it_is_read(encoding: bytes) -> None:
    door = Door()
    await door.open()
    said = await door.say(POST + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (encoding, len(BOMB)) + BOMB)
    await door.server.stop(1)
    assert said.endswith(b"unsupported_media_type")
    assert not door.requests


async def test_trailers_are_refused_however_many_there_are() -> None:
    door = Door()
    await door.open()
    caller = await door.connect()
    caller.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
    for _ in range(200):
        caller.send(b"x-trailer: " + b"y" * 1000 + b"\r\n")
    said = await caller.gone()
    await caller.close()
    await door.server.stop(1)
    assert said.endswith(b"malformed_request")
    assert not door.requests


async def test_a_compressed_answer_is_passed_on_as_it_came() -> None:
    rig = Rig()
    fields = [("content-encoding", "gzip"), ("content-length", str(len(BOMB)))]
    async with serve_faults(raw(head(200, fields) + BOMB, keep=True)) as server:
        heard = await rig.ask(server)
        await rig.pool.close()
    assert heard.body == BOMB


@pytest.mark.parametrize("end", [b"0\r\nx: " + b"y" * 1_000_000, b"0\r\n" + b"x: y\r\n" * 200_000])
async def test_a_providers_endless_trailers_end_the_call(end: bytes) -> None:
    rig = Rig()
    async with serve_faults(raw(head(200, [("transfer-encoding", "chunked")]) + end, keep=True)) as server:
        heard = await rig.ask(server)
        await rig.pool.close()
    assert isinstance(heard.error, BadAnswer)
