"""One HTTP/1.1 connection of a caller that knows when it has seen the whole of an answer, and nothing less counts."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

PATIENCE = 40.0  # seconds for one answer: a worker that is stopped is replaced within 20


class Broken(Exception):
    """No whole answer came."""


@dataclass(frozen=True)
class Heard:
    """A whole answer; `code` is the error's, "" where there was none."""

    status: int
    request_id: str
    code: str
    source: str = ""  # the budget that a refusal names


class Line:
    """A kept connection, made when needed and again when it broke."""

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, address: str, key: str, body: dict[str, Any], *, leave_after: int = 0) -> Heard | None:
        """Send one call and hear it to its end; `leave_after` so many reads of a stream the caller goes (None)."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(address, key, json.dumps(body).encode(), leave_after)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.hang_up()
            raise Broken(str(error)) from error
        except BaseException:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        """End the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _ask(self, address: str, key: str, body: bytes, leave_after: int) -> Heard | None:
        reader, writer = await self._open(address)
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: %b\r\nauthorization: Bearer %b\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % (address.encode(), key.encode(), len(body))
            + body
        )
        status, headers = await _head(reader)
        request_id = headers.get("x-request-id", "")
        if headers.get("transfer-encoding") == "chunked":
            told = await _chunks(reader, leave_after)
            if told is None:
                self.hang_up()
                return None
            whole = told.endswith(b"data: [DONE]\n\n") and b'"error"' not in told
            return Heard(status, request_id, "" if whole else "stream_incomplete")
        told = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.hang_up()
        error = {} if status == 200 else json.loads(told)["error"]
        return Heard(status, request_id, error.get("code", ""), error.get("limit_source", ""))

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.hang_up()
            host, _, port = address.rpartition(":")
            self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self._reader, self._writer


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in fields}


async def _chunks(reader: asyncio.StreamReader, leave_after: int) -> bytes | None:
    parts: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
        if leave_after and len(parts) >= leave_after:
            return None
    await reader.readexactly(2)
    return b"".join(parts)
