import os
import stat
from pathlib import Path

import pytest

from clavero.domain.secret import mask
from clavero.domain.startup import StartFailure
from clavero.vault.keyring import RootKey
from clavero.vault.seal import FileSeal, root_key


@pytest.fixture
def seal(tmp_path: Path) -> FileSeal:
    return FileSeal(tmp_path / "data" / "seal" / "root.key")


def refused(seal: FileSeal) -> StartFailure:
    with pytest.raises(StartFailure) as caught:
        seal.unlock()
    assert caught.value.fix
    return caught.value


def test_a_root_key_is_created_for_its_owner_alone_and_unlocked_again(seal: FileSeal) -> None:
    root = seal.create(os.urandom)
    assert stat.S_IMODE(seal.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(seal.file.parent.stat().st_mode) == 0o700
    assert seal.unlock().value == root.value
    assert seal.unlock().id == root.id


def test_nothing_but_the_key_is_left_in_the_directory(seal: FileSeal) -> None:
    seal.create(os.urandom)
    assert [file.name for file in seal.file.parent.iterdir()] == ["root.key"]


def test_a_permissive_umask_changes_nothing(seal: FileSeal) -> None:
    before = os.umask(0)
    try:
        seal.create(os.urandom)
    finally:
        os.umask(before)
    assert stat.S_IMODE(seal.file.stat().st_mode) == 0o600


def test_a_root_key_is_never_written_over(seal: FileSeal) -> None:
    root = seal.create(os.urandom)
    with pytest.raises(StartFailure) as caught:
        seal.create(os.urandom)
    assert caught.value.code == "seal_exists"
    assert seal.unlock().value == root.value
    assert len(list(seal.file.parent.iterdir())) == 1


def test_a_dangling_link_in_its_place_is_not_followed(seal: FileSeal, tmp_path: Path) -> None:
    seal.file.parent.mkdir(parents=True)
    seal.file.symlink_to(tmp_path / "elsewhere")
    assert seal.exists()
    with pytest.raises(StartFailure):
        seal.create(os.urandom)
    assert refused(seal).code == "seal_unusable"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o660, 0o644, 0o777])
def test_a_key_that_others_can_read_or_write_is_refused(seal: FileSeal, mode: int) -> None:
    seal.create(os.urandom)
    seal.file.chmod(mode)
    failure = refused(seal)
    assert failure.code == "seal_permissions"
    assert failure.fix == f"chmod 600 {seal.file}"


def test_a_key_of_another_owner_is_refused(seal: FileSeal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs clavero is changed here, not the file's owner: that needs root."""
    seal.create(os.urandom)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert refused(seal).code == "seal_owner"


def test_a_missing_key_is_said_and_not_replaced(seal: FileSeal) -> None:
    assert refused(seal).code == "seal_missing"
    assert not seal.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"clavero-root-key-v1:",
        b"clavero-root-key-v1:AAAA\n",
        b"x" * 300,
        b"\0" * 64,
        b"clavero-root-key-v2:" + b"A" * 43 + b"=\n",
    ],
)
def test_a_file_that_holds_no_key_is_refused(seal: FileSeal, content: bytes) -> None:
    seal.file.parent.mkdir(parents=True)
    seal.file.write_bytes(content)
    seal.file.chmod(0o600)
    assert refused(seal).code == "seal_malformed"


def test_a_directory_or_pipe_in_its_place_is_refused_without_waiting(seal: FileSeal) -> None:
    seal.file.mkdir(parents=True)
    assert refused(seal).code in {"seal_unusable", "seal_permissions"}
    seal.file.rmdir()
    os.mkfifo(seal.file, 0o600)
    assert refused(seal).code == "seal_unusable"


def test_a_place_that_cannot_be_written_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "seal").write_text("a file where the directory should be")
    with pytest.raises(StartFailure) as caught:
        FileSeal(tmp_path / "seal" / "root.key").create(os.urandom)
    assert caught.value.code == "seal_unusable"


def test_a_write_that_stops_half_way_leaves_no_key(seal: FileSeal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, as the system reports it: a short write."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:10]))
    with pytest.raises(StartFailure):
        seal.create(os.urandom)
    assert not list(seal.file.parent.iterdir())


def test_a_fresh_vault_gets_a_key_and_an_old_one_never_does(seal: FileSeal) -> None:
    with pytest.raises(StartFailure) as caught:
        root_key(seal, os.urandom, fresh=False)
    assert caught.value.code == "seal_missing"
    made = root_key(seal, os.urandom, fresh=True)
    assert root_key(seal, os.urandom, fresh=True).value == made.value
    assert root_key(seal, os.urandom, fresh=False).value == made.value


def test_the_file_would_be_masked_in_a_log(seal: FileSeal) -> None:
    seal.create(lambda size: b"\7" * size)
    assert "BwcHBwcHBwc" in seal.file.read_text()
    assert "BwcHBwcHBwc" not in mask(seal.file.read_text())
    assert isinstance(seal.unlock(), RootKey)
