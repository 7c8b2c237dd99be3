import os
import stat
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.vault.seal import open_or_create


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    key = open_or_create(path, os.urandom)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_or_create(path, os.urandom) == key
    assert key not in path.read_bytes()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    open_or_create(path, os.urandom)
    path.chmod(0o640)
    with pytest.raises(StartFailure, match="read by others"):
        open_or_create(path, os.urandom)


@pytest.mark.parametrize("text", [b"", b"clavero-root-1 \n", b"clavero-root-1 AAAA\n", b"other"])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "root.key"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(StartFailure, match="not a root key"):
        open_or_create(path, os.urandom)
    assert path.read_bytes() == text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    open_or_create(tmp_path / "other", os.urandom)
    (tmp_path / "root.key").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        open_or_create(tmp_path / "root.key", os.urandom)
