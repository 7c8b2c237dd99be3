"""What is the server's own: a notification ends the wait, and a session that was ended is made again."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from clavero.adapters.storage.publication_postgres import CHANNEL, Listening


@pytest.fixture
def listening(postgres_url: str) -> Iterator[Listening]:
    made = Listening(postgres_url)
    made.wait(5.0)  # the first wait begins to listen
    yield made
    made.close()


def test_a_notification_ends_the_wait(listening: Listening, postgres_url: str) -> None:
    thread = threading.Thread(target=listening.wait, args=(60.0,))
    thread.start()
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    thread.join(30)
    assert not thread.is_alive()


def test_a_notification_that_came_before_the_wait_is_not_lost(listening: Listening, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    listening.wait(60.0)


def test_a_session_that_was_ended_is_made_again_and_ends_the_wait_at_once(
    listening: Listening, postgres_url: str
) -> None:
    assert listening._connection is not None
    before = listening._connection.info.backend_pid
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (before,))
    listening.wait(60.0)  # something may have been told while nobody listened
    listening.wait(60.0)
    assert listening._connection is not None
    assert listening._connection.info.backend_pid != before


def test_a_server_that_is_away_is_no_failure_of_the_wait() -> None:
    away = Listening("postgresql://nobody@127.0.0.1:1/none")
    away.wait(0.05)
    away.close()
