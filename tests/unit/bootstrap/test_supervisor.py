from pathlib import Path

import pytest

from clavero.bootstrap.supervisor import root_key_of
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage


def settings(folder: Path) -> Settings:
    return Settings(storage=Storage(data_dir=str(folder)))


def test_a_fresh_directory_gets_a_key_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "seal").mkdir()
    key = root_key_of(settings(tmp_path))
    assert len(key) == 32
    assert root_key_of(settings(tmp_path)) == key


def test_an_old_directory_never_gets_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "seal").mkdir()
    (tmp_path / "clavero.db").touch()
    with pytest.raises(StartFailure):
        root_key_of(settings(tmp_path))
