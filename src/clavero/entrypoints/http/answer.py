"""The bytes of an answer's head. Header values come from many places, so none of them may begin a line of its own."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

Headers = Sequence[tuple[str, str]]

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
BODILESS: Final = frozenset((204, 304))

_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def head(status: int, headers: Headers, date: str, framing: str) -> bytes:
    """A head, up to and with its empty line; `framing` holds the whole lines that say where the body ends."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not _is_clean(text, len(headers)):
        text = "".join([f"{_cleaned(name)}: {_cleaned(value)}\r\n" for name, value in headers])
    line = _LINES.get(status) or f"HTTP/1.1 {status} \r\n"
    return f"{line}date: {date}\r\n{text}{framing}\r\n".encode("ascii")


def framing(length: int, *, keep: bool) -> str:
    """The lines for a body of this many bytes; -1 for chunks, -2 for up to the end of the connection."""
    end = "" if keep else "connection: close\r\n"
    if length >= 0:
        return f"content-length: {length}\r\n{end}"
    return f"transfer-encoding: chunked\r\n{end}" if length == -1 else end


def http_date(wall_ns: int) -> str:
    """A date as RFC 9110 section 5.6.7 wants it, whatever the locale."""
    at = time.gmtime(wall_ns // 1_000_000_000)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year:04} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"


def _is_clean(text: str, lines: int) -> bool:
    return text.isascii() and text.count("\n") == lines and text.count("\r") == lines and "\0" not in text


def _cleaned(text: str) -> str:
    return "".join([letter if " " <= letter <= "~" else "?" for letter in text])
