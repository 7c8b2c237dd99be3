"""What the console ships besides pages: style, script, fonts, icons; read once, addressed by what is in them."""

import hashlib
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
    return File(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])
