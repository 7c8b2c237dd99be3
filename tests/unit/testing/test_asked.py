import asyncio

from clavero.testing.asked import Asked, read_request


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_requests_are_read_one_after_the_other_until_the_end() -> None:
    reader = fed(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\nHost: y\r\n\r\n")
    assert await read_request(reader) == Asked("POST", "/a", {"host": "x", "content-length": "2"}, b"{}")
    assert await read_request(reader) == Asked("GET", "/b", {"host": "y"}, b"")
    assert await read_request(reader) is None


async def test_half_a_request_is_none() -> None:
    assert await read_request(fed(b"POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")) is None
    assert await read_request(fed(b"POST /a HT")) is None
