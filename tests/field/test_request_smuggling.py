"""Two readers of one byte stream must not see different requests.

aiohttp CVE-2023-49081/CVE-2024-23829 and h11 CVE-2025-43859 (lenient framing), nodejs/llhttp CVE-2022-32213..32215, and
the habit of gateways in front of gateways: where a front end and we could disagree, the connection ends with a refusal.
"""

import pytest
from tests.flow.entrypoints.http.door import Door

SECOND = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer stolen\r\nContent-Length: 0\r\n\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"

ROWS = {
    "cl-te": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "te-cl": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + SECOND + b"\r\n0\r\n\r\n",
    "te-te": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + SECOND,
    "te-obfuscated-tab": POST + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n" + SECOND,
    "te-obfuscated-case-list": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "te-obfuscated-space": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "te-obfuscated-fold": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "cl-cl": POST + b"Content-Length: 0\r\nContent-Length: 200\r\n\r\n" + SECOND,
    "cl-list": POST + b"Content-Length: 0, 200\r\n\r\n" + SECOND,
    "cl-plus": POST + b"Content-Length: +0\r\n\r\n" + SECOND,
    "cl-underscore": POST + b"Content-Length: 1_0\r\n\r\n" + SECOND,
    "bare-lf-in-chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + SECOND,
    "chunk-0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SECOND,
    "chunk-ext-newline": POST + b"Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n" + SECOND,
    "upgrade-hides-a-body": POST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n" + SECOND,
    "cr-in-name": POST + b"X\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "http-1.0-te": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
}


@pytest.mark.parametrize("data", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("together", [True, False])
async def test_the_hidden_request_never_runs_and_the_connection_ends(data: bytes, *, together: bool) -> None:
    door = Door()
    await door.open()
    caller = await door.connect()
    for piece in [data] if together else [data[:70], data[70:]]:
        caller.send(piece)
    said = await caller.gone()
    await caller.close()
    await door.server.stop(1)
    assert b"HTTP/1.1 200" not in said
    assert said.count(b"HTTP/1.1 ") == 1
    assert not door.requests


async def test_a_body_is_never_read_as_a_request() -> None:
    door = Door()
    await door.open()
    said = await door.say(POST + b"Content-Length: %d\r\n\r\n" % len(SECOND) + SECOND)
    await door.server.stop(1)
    assert said.count(b"HTTP/1.1 200") == 1
    assert door.requests[0].body == SECOND
    assert "authorization" not in door.requests[0].headers


async def test_a_request_glued_to_another_never_runs() -> None:
    door = Door()
    await door.open()
    said = await door.say(POST + b"Content-Length: 0\r\n\r\n" + SECOND)
    await door.server.stop(1)
    assert said.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in said
    assert len(door.requests) == 1
