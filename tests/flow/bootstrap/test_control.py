import os
from pathlib import Path

import pytest

from clavero.bootstrap.control import machine_clock, open_control
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage
from clavero.testing.unsealer import MemoryUnsealer
from clavero.vault.keyring import RootKeys


def settings(folder: Path) -> Settings:
    return Settings(storage=Storage(data_dir=str(folder)))


async def test_a_first_start_makes_everything_and_a_second_finds_it(tmp_path: Path) -> None:
    for _ in range(2):
        plane = await open_control(
            settings(tmp_path), MemoryUnsealer(os.urandom, RootKeys.of([bytes(range(32))])), lambda *_: None
        )
        assert plane.reading.ingest.boots() == []
        await plane.close()
    assert (tmp_path / "clavero.db").exists()


async def test_another_root_key_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    plane = await open_control(
        settings(tmp_path), MemoryUnsealer(os.urandom, RootKeys.of([bytes(range(32))])), lambda *_: None
    )
    await plane.close()
    with pytest.raises(StartFailure) as caught:
        await open_control(settings(tmp_path), MemoryUnsealer(os.urandom), lambda *_: None)
    assert caught.value.code == "wrong_root_key"


def test_the_clock_is_the_machines() -> None:
    assert machine_clock().wall_ns() > 0
