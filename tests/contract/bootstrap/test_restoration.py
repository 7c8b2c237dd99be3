"""`clavero db restore`: checked first, then whole; from SQLite to PostgreSQL too; what had ended stays ended."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import empty

from clavero.adapters.storage.engines import sqlite_engine
from clavero.bootstrap.control import ControlPlane, open_control
from clavero.bootstrap.database import take
from clavero.bootstrap.held import Held
from clavero.bootstrap.restoration import bring_back
from clavero.bootstrap.supervisor import Passphrases, open_seal
from clavero.control import keys
from clavero.control.audit import newest, page
from clavero.control.commit import perform
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.audit import first_bad
from clavero.domain.keys import Key, KeyState
from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage


def nobody() -> Secret:
    raise AssertionError("nobody is to be asked")


NOBODY = Passphrases(nobody, nobody)


def quiet(*_: object) -> None:
    """Say nothing."""


async def with_plane(settings: Settings, *steps: tuple[str, str]) -> ControlPlane:
    plane = await open_control(settings, Held(open_seal(settings, NOBODY).keys.values), lambda *_: None)
    for verb, name in steps:
        if verb == "create":
            await perform(plane.desk, SYSTEM, keys.create, wanted=NewKey(name=name, owner="asha"))
        else:
            await perform(plane.desk, SYSTEM, keys.revoke, name=name, reason="leaked")
    await asyncio.to_thread(plane.reading.recovery.is_same)
    await plane.close()
    return plane


async def look(settings: Settings) -> tuple[dict[str, KeyState], list[tuple[str, str]], int | None]:
    plane = await open_control(settings, Held(open_seal(settings, NOBODY).keys.values), lambda *_: None)
    async with plane.store.read() as state:
        found = {key.name: key.state for key in await state.find(Key)}
    rows = [(row.action, row.reason) for row in await newest(plane.desk)]
    bad = first_bad(await page(plane.desk, 0, 1000))
    await plane.close()
    return found, rows, bad


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two keys, a backup, then one key more and one less."""
    made = Settings(storage=Storage(data_dir=str(tmp_path / "data")))
    (tmp_path / "data" / "seal").mkdir(parents=True)
    asyncio.run(with_plane(made, ("create", "prod-mail-01"), ("create", "prod-mail-02")))
    take(made, tmp_path / "b.clavero", quiet)
    asyncio.run(with_plane(made, ("create", "prod-mail-03"), ("revoke", "prod-mail-02")))
    return made


def test_an_old_backup_does_not_bring_a_revoked_key_back_to_life(settings: Settings, tmp_path: Path) -> None:
    back = bring_back(settings, tmp_path / "b.clavero", quiet, over=True, passphrases=NOBODY)
    found, rows, bad = asyncio.run(look(settings))
    assert found == {"prod-mail-01": KeyState.ACTIVE, "prod-mail-02": KeyState.REVOKED}
    assert back.ended == 1
    assert bad is None
    assert [action for action, _ in rows[:2]] == ["db.bury", "db.restore"]
    head = back.manifest.audit_seq
    assert f"audit head {head}:{back.manifest.audit_hash[:12]}" in rows[1][1]
    assert f"head before {back.head_before[:2]}" in rows[1][1]
    assert Path(back.aside).exists()


def test_what_stands_there_is_never_written_over_unasked(settings: Settings, tmp_path: Path) -> None:
    before = asyncio.run(look(settings))
    with pytest.raises(StartFailure) as caught:
        bring_back(settings, tmp_path / "b.clavero", quiet, over=False, passphrases=NOBODY)
    assert caught.value.code == "database_exists"
    assert "--replace" in caught.value.fix
    assert asyncio.run(look(settings)) == before


def test_a_lost_database_comes_back_beside_its_root_key(settings: Settings, tmp_path: Path) -> None:
    for file in settings.data.glob("clavero.db*"):
        file.unlink()
    back = bring_back(settings, tmp_path / "b.clavero", quiet, over=False, passphrases=NOBODY)
    assert back.aside == ""
    assert set(asyncio.run(look(settings))[0]) == {"prod-mail-01", "prod-mail-02"}


@pytest.mark.parametrize(("how", "code"), [("other", "wrong_root_key"), ("none", "seal_missing")])
def test_the_wrong_root_key_is_one_line_before_anything_is_changed(
    settings: Settings, tmp_path: Path, how: str, code: str
) -> None:
    seal, before = settings.data / "seal" / "root.key", (settings.data / "clavero.db").read_bytes()
    key = seal.read_bytes()
    seal.unlink()
    if how == "other":
        open_seal(Settings(storage=Storage(data_dir=str(tmp_path / "other"))), NOBODY)
        seal.write_bytes((tmp_path / "other" / "seal" / "root.key").read_bytes())
        seal.chmod(0o600)
    with pytest.raises(StartFailure) as caught:
        bring_back(settings, tmp_path / "b.clavero", quiet, over=True, passphrases=NOBODY)
    assert caught.value.code == code
    assert "rk_" in caught.value.message
    assert (settings.data / "clavero.db").read_bytes() == before
    assert key not in caught.value.message.encode()


def test_a_database_that_was_outgrown_moves_to_a_server_and_back(
    settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = empty("postgres", tmp_path, request.getfixturevalue("postgres_url")).url
    take(settings, tmp_path / "now.clavero", quiet)
    before = asyncio.run(look(settings))[0]
    server = Settings(storage=Storage(data_dir=settings.storage.data_dir, database_url=url))
    back = bring_back(server, tmp_path / "now.clavero", quiet, over=False, passphrases=NOBODY)
    assert back.ended == 0
    found, _, bad = asyncio.run(look(server))
    assert (found, bad) == (before, None)
    asyncio.run(with_plane(server, ("create", "prod-mail-04")))
    take(server, tmp_path / "later.clavero", quiet)
    bring_back(settings, tmp_path / "later.clavero", quiet, over=True, passphrases=NOBODY)
    assert set(asyncio.run(look(settings))[0]) == {*before, "prod-mail-04"}


def test_a_copy_that_was_put_back_by_hand_is_noticed_at_the_next_start(settings: Settings, tmp_path: Path) -> None:
    with sqlite_engine(settings.data / "clavero.db").connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    old = (settings.data / "clavero.db").read_bytes()
    asyncio.run(with_plane(settings, ("revoke", "prod-mail-01")))
    for file in settings.data.glob("clavero.db-*"):
        file.unlink()
    (settings.data / "clavero.db").write_bytes(old)

    async def start() -> str:
        plane = await open_control(settings, Held(open_seal(settings, NOBODY).keys.values), lambda *_: None)
        recovered = plane.came_back
        assert recovered is not None
        told = await plane.recovered(recovered)
        await plane.close()
        return told

    assert "1 ended again" in asyncio.run(start())
    assert asyncio.run(look(settings))[0]["prod-mail-01"] is KeyState.REVOKED
