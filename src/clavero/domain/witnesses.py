"""Where the audit trail is told beside the database: places of checkpoints, and a collector of its rows."""

from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from clavero.domain.audit import BEGINNING

_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}


class Place(Struct, frozen=True):
    """A witness: `file` and `git` with a path, `s3` with the whole `s3://bucket/prefix`."""

    kind: Literal["file", "git", "s3"]
    where: str


class Collector(Struct, frozen=True):
    """A syslog collector: host and port, or the path of a socket of this machine."""

    kind: Literal["unix", "udp", "tcp", "tls"]
    host: str
    port: int = 0


class Told(Struct, frozen=True):
    """The last row that a collector was told: its number, 0 for none, and hash."""

    seq: int = 0
    hash: str = BEGINNING


def read_witnesses(text: str) -> tuple[Place, ...]:
    """Places from a text with commas between; `ValueError` says what is wanted."""
    return tuple(_place(one.strip()) for one in text.split(",") if one.strip())


def read_collector(text: str) -> Collector | None:
    """`tls://host[:port]`, `tcp://`, `udp://`, or `unix:/path`; None for ""."""
    if not text:
        return None
    wanted = "is not tls://host[:port], tcp://…, udp://… or unix:/path"
    kind, _, path = text.partition(":")
    if kind == "unix":
        if not path.startswith("/"):
            raise ValueError(wanted)
        return Collector("unix", path)
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError(wanted) from None
    alone = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
    match parts.scheme:
        case "udp" | "tcp" | "tls" as scheme if parts.hostname and alone:
            return Collector(scheme, parts.hostname, port)
        case _:
            raise ValueError(wanted)


def _place(text: str) -> Place:
    if text.startswith("s3://"):
        parts = urlsplit(text)
        if not parts.netloc or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"has {text!r}, which is not s3://bucket/prefix")
        return Place("s3", text)
    if text.startswith("git:"):
        if not (folder := text.removeprefix("git:")).startswith("/"):
            raise ValueError(f"has {text!r}, which is not git:/folder of a clone")
        return Place("git", folder)
    if "://" in text:
        raise ValueError(f"has {text!r}; wanted are a file, git:/folder and s3://bucket/prefix")
    return Place("file", text)
