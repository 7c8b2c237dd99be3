"""`clavero db check` on a real vault, stopped."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from clavero.adapters.storage.engines import sqlite_engine
from clavero.bootstrap.checkup import Finding, at_a_glance, check_all
from clavero.bootstrap.control import open_control
from clavero.bootstrap.database import take
from clavero.bootstrap.held import Held
from clavero.bootstrap.supervisor import Passphrases, open_seal
from clavero.control import credentials
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage


def nobody() -> Secret:
    raise AssertionError("nobody is to be asked")


NOBODY = Passphrases(nobody, nobody)


def quiet(*_: object) -> None:
    """Say nothing."""


async def fill(settings: Settings) -> None:
    plane = await open_control(settings, Held(open_seal(settings, NOBODY).keys.values), lambda *_: None)
    provider = Provider(
        name="house", kind=ProviderKind.OPENAI_LIKE, base_url="http://127.0.0.1:9", network=Network.LOOPBACK
    )
    await perform(plane.desk, SYSTEM, credentials.add_provider, provider=provider)
    await perform(plane.desk, SYSTEM, credentials.add_credential, provider="house", secret=Secret("sk-" + "a" * 20))
    await asyncio.to_thread(plane.reading.recovery.is_same)
    await plane.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(storage=Storage(data_dir=str(tmp_path)))
    (tmp_path / "seal").mkdir()
    asyncio.run(fill(made))
    return made


def states(settings: Settings) -> dict[str, str]:
    return {one.name: one.state for one in check_all(settings, quiet, deep=True, passphrases=NOBODY)}


def found(settings: Settings, name: str) -> Finding:
    return next(one for one in check_all(settings, quiet, deep=False, passphrases=NOBODY) if one.name == name)


GOOD = {
    "schema": "ok", "integrity": "ok", "ledger": "ok", "audit": "ok", "vault": "ok", "journal": "ok", "epoch": "ok",
    "backup": "warn",
}  # fmt: skip


def test_everything_is_looked_at_and_nothing_is_changed(settings: Settings, tmp_path: Path) -> None:
    assert states(settings) == GOOD
    assert found(settings, "vault").text == "3 keys and 1 secrets open"
    take(settings, None, quiet)
    assert states(settings) == GOOD | {"backup": "ok"}


def run(statement: str) -> Callable[[Settings], None]:
    def spoil(settings: Settings) -> None:
        with sqlite_engine(settings.data / "clavero.db").begin() as connection:
            connection.execute(text(statement))

    return spoil


def other_key(settings: Settings) -> None:
    (settings.data / "seal" / "root.key").unlink()


SPOILT = {
    "a sum": (
        run("INSERT INTO ledger (budget_id, period_start, limit_n, leased) VALUES ('b', 1, 9, 5)"),
        "ledger",
        "bad",
    ),
    "an audit row": (run("UPDATE audit SET actor = 'x' WHERE seq = 2"), "audit", "bad"),
    "a sealed cell": (run("UPDATE credential SET sealed = zeroblob(200)"), "vault", "bad"),
    "no root key": (other_key, "vault", "bad"),
    "an index": (run("DROP INDEX virtual_key_name"), "schema", "bad"),
    "a journal of nobody": (lambda settings: (settings.data / "journal" / ("f" * 32)).mkdir(), "journal", "warn"),
    "time": (run("DELETE FROM audit WHERE seq > 1"), "epoch", "warn"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_found_where_it_belongs(settings: Settings, what: str) -> None:
    spoil, name, state = SPOILT[what]
    spoil(settings)
    one = found(settings, name)
    assert one.state == state, one


def test_no_secret_is_ever_told(settings: Settings) -> None:
    told = str([*check_all(settings, quiet, deep=False, passphrases=NOBODY)])
    assert "aaaa" not in told


def test_where_there_is_no_database_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(StartFailure) as caught:
        list(check_all(Settings(storage=Storage(data_dir=str(tmp_path))), quiet, deep=False, passphrases=NOBODY))
    assert caught.value.code == "database_missing"


def test_a_glance_tells_schema_and_backup_and_refuses_as_a_start_would(settings: Settings) -> None:
    assert [(one.name, one.state) for one in at_a_glance(settings)] == [("schema", "ok"), ("backup", "warn")]
    run("UPDATE meta SET value = '999' WHERE name = 'schema'")(settings)
    with pytest.raises(StartFailure) as caught:
        at_a_glance(settings)
    assert caught.value.code == "database_newer"
