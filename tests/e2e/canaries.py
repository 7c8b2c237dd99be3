"""The hunter: looks for secrets that it knows, whole or in pieces, plainly written or encoded, wherever they may lie."""

import base64
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from clavero.domain.tokens import Kind, mint

PIECE = 12  # characters: whoever leaks 24 in a row leaks a whole piece
_RUNS = re.compile(rb"[0-9A-Za-z+/=%_-]{12,}")


def provider_key(kind: str = "sk-proj-") -> str:
    """A new key in the shape of a provider's."""
    return kind + secrets.token_hex(24)


def virtual_key(kind: Kind = Kind.VIRTUAL_KEY) -> str:
    """A key in our shape, check sum and all, that opens nothing."""
    return mint(kind, "prod", secrets.token_bytes)[1].reveal()


def pieces(value: str) -> list[str]:
    """The secret part of a value in pieces; what is public of it (kind, environment, public id) is not in them."""
    secret = re.sub(r"^(clv[katbw]_[a-z0-9]+_[0-9A-Za-z]{12}_|clavero-root-key-v1:|[a-z-]{3,12}-)", "", value.strip())
    assert len(secret) >= 2 * PIECE, "too short to be told from chance"
    return [secret[at : at + PIECE] for at in range(0, len(secret) - PIECE + 1, PIECE)]


def forms(piece: str) -> Iterator[bytes]:
    """How a piece may be written down."""
    raw = piece.encode()
    yield raw
    yield quote(piece, safe="").encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for digits in ("%02x", "%02X"):
        yield "".join("%" + digits % byte for byte in raw).encode()
    for before in range(3):  # base64 depends on where in the text the piece begins
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            written = encode(b"\0" * before + raw + b"\0" * (-(before + len(raw)) % 3))
            yield written[-(-8 * before // 6) : (before + len(raw)) * 8 // 6]


@dataclass
class Hunter:
    """Knows every canary by a name, which is all that a finding says of it."""

    needles: dict[bytes, str] = field(default_factory=dict)

    def learn(self, name: str, value: str) -> str:
        """Look for this value too; returns it."""
        for piece in pieces(value):
            self.needles.update(dict.fromkeys(forms(piece), name))
        return value

    def hunt(self, where: str, data: bytes | str, but: Iterable[str] = ()) -> list[str]:
        """Names of the canaries that are in there, less those that may be."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        text = b"\n".join(set(_RUNS.findall(raw)))
        found = {name for needle, name in self.needles.items() if needle in text}
        return sorted(f"{name} in {where}" for name in found - set(but))


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, with its path from there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), path.read_bytes()


def cells(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every column of every table, which a page of the file may hold in two halves."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            held: dict[str, list[bytes]] = {name: [] for name in names}
            for row in rows:
                for name, cell in zip(names, row, strict=True):
                    held[name].append(cell if isinstance(cell, bytes) else str(cell).encode())
            yield from ((f"{table}.{name}", b"\n".join(values)) for name, values in held.items())
    finally:
        connection.close()


def processes(ids: Mapping[str, int], part: str) -> Iterator[tuple[str, bytes]]:
    """The arguments (`cmdline`) or the environment (`environ`) of processes, as far as this user may read them."""
    for name, pid in ids.items():
        try:
            yield f"{part} of {name}", (Path("/proc") / str(pid) / part).read_bytes()
        except PermissionError:
            continue  # what we may not read, no other process of this user may either
