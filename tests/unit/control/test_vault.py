import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.domain.refusals import VaultClosed
from clavero.domain.sealing import Purpose, SealedKey
from clavero.domain.secret import Secret
from clavero.vault.columns import Cell

CELL = Cell(purpose=Purpose.CREDENTIAL, id="x", version=1, origin="https://a.example:443")


async def test_what_another_control_plane_changed_is_seen_with_the_next_use(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        async with desk.store.read() as look:
            before = await desk.vault.keyring(look)
            assert await desk.vault.keyring(look) is before
        async with desk.store.write() as writing:
            for row in await writing.find(SealedKey):
                await writing.delete(SealedKey, row.id)
            for row in before.rows:
                await writing.put(row)
            await writing.put(before.add(Purpose.TENANT, os.urandom, 5, "default"))
        async with desk.store.read() as look:
            assert (await desk.vault.barrier(look)).seal(Secret("x" * 20), CELL)[4:6] == b"\0\2"


async def test_a_vault_that_was_spoilt_while_it_runs_is_a_refusal(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        async with desk.store.write() as writing:
            for row in await writing.find(SealedKey):
                await writing.put(replace(row, sealed=row.sealed[:-1]))
        async with desk.store.read() as look:
            with pytest.raises(VaultClosed, match="does not open"):
                await desk.vault.keyring(look)
        assert "home" not in repr(desk.vault)
