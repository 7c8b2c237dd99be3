import hashlib
from pathlib import Path

import pytest

from clavero.bootstrap.supervisor import Passphrases, move_seal, open_seal
from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.settings import Control, Settings, Storage, Vault
from clavero.vault import passphrase

WORDS, OTHERS = Secret("correct horse battery staple"), Secret("another passphrase altogether")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a try costs is not the question here."""
    monkeypatch.setattr(
        passphrase, "derive", lambda given, salt, _cost: hashlib.sha256(salt + given.reveal().encode()).digest()
    )


def settings(folder: Path, passphrase_file: str = "") -> Settings:
    return Settings(storage=Storage(data_dir=str(folder)), vault=Vault(passphrase_file=passphrase_file))


def unasked() -> Secret:
    raise AssertionError("nobody should have been asked")


NOBODY = Passphrases(unasked, unasked)


def known(present: Secret = WORDS, new: Secret = WORDS, *, given: bool = True) -> Passphrases:
    return Passphrases(lambda: present, lambda: new, given=given)


def test_a_fresh_directory_gets_a_key_and_keeps_it(tmp_path: Path) -> None:
    opened = open_seal(settings(tmp_path), NOBODY)
    assert opened.kind == "file"
    assert open_seal(settings(tmp_path), NOBODY).keys == opened.keys


def test_an_old_directory_never_gets_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "clavero.db").touch()
    with pytest.raises(StartFailure, match="missing"):
        open_seal(settings(tmp_path), NOBODY)
    with pytest.raises(StartFailure, match="missing"):
        move_seal(settings(tmp_path), "file", NOBODY)


def test_a_first_start_with_a_passphrase_writes_no_plain_key(tmp_path: Path) -> None:
    opened = open_seal(settings(tmp_path), known())
    assert opened.kind == "passphrase"
    assert open_seal(settings(tmp_path), known()).keys == opened.keys
    with pytest.raises(StartFailure) as caught:
        open_seal(settings(tmp_path), known(OTHERS))
    assert caught.value.code == "wrong_passphrase"


def test_a_passphrase_for_a_seal_that_has_none_is_refused_where_it_was_set(tmp_path: Path) -> None:
    open_seal(settings(tmp_path), NOBODY)
    with pytest.raises(StartFailure) as caught:
        open_seal(settings(tmp_path, "the.file"), known())
    assert caught.value.code == "passphrase_unused"
    assert open_seal(settings(tmp_path), known()).kind == "file"  # a credential of the service manager may wait there


def test_a_seal_moves_there_and_back_with_the_same_keys(tmp_path: Path) -> None:
    first = open_seal(settings(tmp_path), NOBODY)
    (tmp_path / "clavero.db").touch()
    assert move_seal(settings(tmp_path), "passphrase", known()).keys == first.keys
    assert move_seal(settings(tmp_path), "passphrase", known(WORDS, OTHERS)).keys == first.keys
    with pytest.raises(StartFailure):
        move_seal(settings(tmp_path), "file", known(WORDS))
    assert open_seal(settings(tmp_path), known(OTHERS)).keys == first.keys
    assert move_seal(settings(tmp_path), "file", known(OTHERS)).keys == first.keys
    assert open_seal(settings(tmp_path), NOBODY).keys == first.keys


def test_the_seal_of_a_vault_that_is_not_there_yet_is_made_as_it_is_asked_for(tmp_path: Path) -> None:
    made = move_seal(settings(tmp_path), "passphrase", known())
    assert open_seal(settings(tmp_path), known(given=False)).keys == made.keys


def test_what_a_killed_process_left_behind_is_tidied(tmp_path: Path) -> None:
    open_seal(settings(tmp_path), NOBODY)
    (tmp_path / "seal" / ".root.key.0011").write_bytes(b"half")
    open_seal(settings(tmp_path), NOBODY)
    assert [file.name for file in (tmp_path / "seal").iterdir()] == ["root.key"]


def test_a_machine_of_a_control_plane_elsewhere_never_makes_a_key_of_its_own(tmp_path: Path) -> None:
    outpost = Settings(storage=Storage(data_dir=str(tmp_path)), control=Control(plane="elsewhere"))
    with pytest.raises(StartFailure) as caught:
        open_seal(outpost, NOBODY)
    assert caught.value.code == "seal_elsewhere"
    opened = open_seal(settings(tmp_path), NOBODY)
    assert open_seal(outpost, NOBODY).keys == opened.keys
