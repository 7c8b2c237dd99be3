"""What the console ships besides pages: style, script, fonts, icons; read once, addressed by what is in them."""

import hashlib
import re
from functools import cache
from pathlib import Path

from msgspec import Struct

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}


_LONG = 12
_FONT = re.compile(rb"url\(([a-z-]+\.woff2)\)")


class File(Struct, frozen=True):
    """One file: its bytes, its media type, and a digest that changes with it."""

    body: bytes
    media_type: str
    digest: str


@cache
def shelf() -> dict[str, File]:
    """Every file by its name."""
    return {path.relative_to(_STATIC).as_posix(): _file(path) for path in _STATIC.rglob("*") if path.suffix in _TYPES}


def address(name: str) -> str:
    """Where a page finds a file; KeyError for one that is not there."""
    return f"/static/{name}?v={shelf()[name].digest}"


def _file(path: Path) -> File:
    body = path.read_bytes()
    if path.suffix == ".css":  # its fonts too are kept for ever, and are what pages preload
        body = _FONT.sub(lambda found: b"url(%b?v=%b)" % (found[1], _digest(found[1].decode())), body)
    return File(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:_LONG])


def _digest(name: str) -> bytes:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:_LONG].encode()
