"""The publication in a SQLite file: `PRAGMA data_version` on a connection of its own tells that somebody committed."""

import sqlite3
import time
from pathlib import Path

from clavero.adapters.storage.publication import LeanPublication
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.ports.clock import Clock

_TICK_SECONDS = 0.05


class DataVersion:
    """Waits for the file's data version to move; it moves with every commit of another connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def wait(self, seconds: float) -> None:
        """Return at the next commit of anybody, or when the time is up; a file that is away is waited for."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(min(_TICK_SECONDS, max(0.0, until - time.monotonic())))
            if self._moved():
                return

    def close(self) -> None:
        """Let the file go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _moved(self) -> bool:
        try:
            if self._connection is None:
                uri = f"{self._path.absolute().as_uri()}?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False)
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return False
        before, self._version = self._version, int(version)
        return before != self._version


class SqlitePublication(LeanPublication):
    """The publication of one file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._data_version = DataVersion(path)
        super().__init__(SqliteDatabase(path, clock), self._data_version.wait, clock)

    def close(self) -> None:
        """Let the file go."""
        self._data_version.close()
        super().close()
