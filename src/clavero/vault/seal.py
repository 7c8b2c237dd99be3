"""Who unlocks the root key. Here: a local file that its owner alone may read.

A passphrase, a systemd credential or a KMS are other seals with the same shape: bytes out, or one plain refusal.
"""

import base64
import binascii
import os
import stat
from collections.abc import Callable
from pathlib import Path

from clavero.domain.startup import StartFailure

ROOT_BYTES = 32
_HEAD = b"clavero-root-1 "


def open_or_create(path: Path, random: Callable[[int], bytes]) -> bytes:
    """The root key in a file; made at the first start. `StartFailure` where the file cannot be trusted or read."""
    try:
        return _read(path)
    except FileNotFoundError:
        _create(path, random(ROOT_BYTES))
        return _read(path)


def _create(path: Path, key: bytes) -> None:
    """Write it whole and durable under another name first, so that a crash leaves a key or none."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, _HEAD + base64.b64encode(key) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        held = os.fstat(descriptor)
        if stat.S_IMODE(held.st_mode) & 0o077 or held.st_uid not in {os.geteuid(), 0}:
            raise StartFailure("seal_exposed", f"{path} can be read by others", f"chmod 600 {path}")
        data = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    try:
        key = base64.b64decode(data.removeprefix(_HEAD).strip(), validate=True)
    except binascii.Error:
        key = b""
    if not data.startswith(_HEAD) or len(key) != ROOT_BYTES:
        raise StartFailure("seal_damaged", f"{path} is not a root key", "restore it from your backup")
    return key
