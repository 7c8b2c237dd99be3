"""The kill campaign: a thousand deaths at random instants and at named points, and not a record or a nano-dollar lost.

`make test` runs a sample; `make nightly` runs all of it and prints how far it has come.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.campaign import legs
from tests.e2e.campaign.legs import Chance
from tests.e2e.campaign.server import Server, server
from tests.e2e.campaign.stand import Say, Stand
from tests.e2e.campaign.verdict import judge


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """A line for who is watching, now."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return line


@contextlib.contextmanager
def campaign(
    folder: Path, url: str = "", data: Path | None = None, *, slower: float = 1.5, silent_seconds: float = 20.0
) -> Iterator[Stand]:
    """A stand under load; afterwards clavero must end in order."""
    stand = Stand.begin(folder, url, data, silent_seconds)
    try:
        stand.begin_load(slower=slower)
        yield stand
    finally:
        assert stand.end() == 0


def passed(stand: Stand, say: Say, leg: str, died: dict[str, object], *, refusals_kept: bool = True) -> None:
    """Stop the load, judge, print the table, fail where anything is wrong."""
    assert stand.load is not None
    verdict = judge(stand, stand.load.stop(), refusals_kept=refusals_kept)
    for name, figure in {**died, **verdict.figures}.items():
        say(f"  {leg} | {name} | {figure}")
    assert not verdict.wrong, verdict.wrong


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def database(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """A server to be told of, or None for the file."""
    if request.param == "SQLite":
        yield None
        return
    with server() as postgres:
        yield postgres


def url_of(database: Server | None) -> str:
    return database.fresh() if database is not None else ""


@pytest.mark.requirement(53)
def test_a_sample_of_kills_loses_nothing_and_sticks_nothing(tmp_path: Path, say: Say) -> None:
    with campaign(tmp_path) as stand:
        died = legs.workers(stand, say, 20, Chance(1))
        passed(stand, say, "sample", died)


def test_what_stops_in_a_transaction_is_killed_and_frees_everybody(tmp_path: Path, say: Say) -> None:
    with campaign(tmp_path, silent_seconds=6) as stand:
        passed(stand, say, "stopped, sample", legs.stopped(stand, say))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_twenty_kills_of_the_supervisor(tmp_path: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database)) as stand:
        died = legs.supervisor(stand, say, 20, Chance(4))
        passed(stand, say, f"supervisor, {named(database)}", died)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_fifty_kills_of_the_database_server(tmp_path: Path, say: Say) -> None:
    with server() as postgres, campaign(tmp_path, postgres.fresh()) as stand:
        died = legs.database(stand, say, 50, Chance(5), postgres.crash)
        passed(stand, say, "database server", died)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_worker_that_slept_for_ninety_seconds_goes_on(tmp_path: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database)) as stand:
        died = legs.asleep(stand, say, 90, Chance(6))
        passed(stand, say, f"asleep, {named(database)}", died)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_what_stops_in_a_transaction_is_killed(tmp_path: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database)) as stand:
        died = legs.stopped(stand, say)
        passed(stand, say, f"stopped, {named(database)}", died)


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_full_disk_under_load(tmp_path: Path, small_disk: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database), small_disk / "data") as stand:
        died = legs.full_disk(stand, say, small_disk, 15)
        passed(stand, say, f"full disk, {named(database)}", died, refusals_kept=False)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_hundred_kills_of_the_control_plane(tmp_path: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database)) as stand:
        died = legs.control(stand, say, 100, Chance(3))
        passed(stand, say, f"control plane, {named(database)}", died)
        assert not stand.quiet, "callers noticed that the control plane died"


@pytest.mark.nightly
@pytest.mark.timeout(5400)
def test_nine_hundred_kills_of_workers(tmp_path: Path, say: Say, database: Server | None) -> None:
    with campaign(tmp_path, url_of(database)) as stand:
        died = legs.workers(stand, say, 900, Chance(2))
        passed(stand, say, f"workers, {named(database)}", died)


def named(database: Server | None) -> str:
    return "PostgreSQL" if database is not None else "SQLite"
