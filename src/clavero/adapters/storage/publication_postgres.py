"""The publication on a PostgreSQL server: LISTEN tells of a commit at once."""

import contextlib
import time

import psycopg

from clavero.adapters.storage.publication import LeanPublication
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.ports.clock import Clock

CHANNEL = "clavero_changes"
_PAUSE_SECONDS = 0.25  # after a failure: a server that refuses us is not asked without end


class Listening:
    """One connection that listens; it is made again after a failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float) -> None:
        """Return at the next notification, or when the time is up."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=3)
                self._connection.execute("LISTEN " + CHANNEL)
                return  # something may have been told before we listened
            next(iter(self._connection.notifies(timeout=seconds, stop_after=1)), None)
        except psycopg.Error:
            self.close()
            time.sleep(min(seconds, _PAUSE_SECONDS))

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


class PostgresPublication(LeanPublication):
    """The publication of one database."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._listening = Listening(url)
        super().__init__(PostgresDatabase(url), self._listening.wait, clock)

    def close(self) -> None:
        """End both sessions."""
        self._listening.close()
        super().close()
