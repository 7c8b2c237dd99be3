"""What a test server was asked: read as plainly as a well-meaning client writes it."""

import asyncio

from msgspec import Struct


class Asked(Struct, frozen=True):
    """One request; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """The next request with a length; None where the connection ended instead."""
    try:
        top = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *fields = top.rstrip("\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    try:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None
    return Asked(method, target, headers, body)
