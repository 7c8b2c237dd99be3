"""The command line against the real admin API on a real port: what a person types, and what comes back."""

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from tests.flow.entrypoints.http.admin.office import Office, open_office

from clavero.__main__ import run
from clavero.control.commit import perform
from clavero.control.signin import create_token
from clavero.domain.access import SYSTEM
from clavero.entrypoints.premises import write_private


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


class Terminal:
    """Types commands; `data` is the data directory of the office that it talks to."""

    def __init__(self, office: Office, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office = office
        self.data = data
        self.url = ""
        self._monkeypatch = monkeypatch

    async def type(self, *words: str, stdin: str = "") -> Done:
        """Run a command in a thread, as a process would be run beside the server."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with self._monkeypatch.context() as patched:
            patched.setattr("sys.stdout", out)
            patched.setattr("sys.stderr", err)
            patched.setattr("sys.stdin", io.StringIO(stdin))
            code = await asyncio.to_thread(run, words)
        return Done(code, _text(out), _text(err))

    async def ok(self, *words: str, stdin: str = "") -> Done:
        """A command that goes well."""
        done = await self.type(*words, stdin=stdin)
        assert done.code == 0, (done.out, done.err)
        return done


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextlib.asynccontextmanager
async def open_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    """A data directory with a token and a running control plane; nothing of the tester's own environment."""
    for name in (
        "CLAVERO_URL",
        "CLAVERO_ADMIN_TOKEN_FILE",
        "OPENAI_API_KEY",
        "COLUMNS",
        "NO_COLOR",
        "LC_ALL",
        "LC_MESSAGES",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("CLAVERO_STORAGE_DATA_DIR", str(folder))
    (folder / "run").mkdir(mode=0o700)
    async with open_office(folder) as office:
        token = await perform(office.desk, SYSTEM, create_token)
        write_private(folder / "admin.token", token.reveal().encode() + b"\n")
        terminal = Terminal(office, folder, monkeypatch)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            terminal.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            told = {"admin_url": terminal.url, "gateway_url": "http://127.0.0.1:4141"}
            write_private(folder / "run" / "ready.json", msgspec.json.encode(told))
            server = uvicorn.Server(
                uvicorn.Config(office.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
            )
            serving = asyncio.ensure_future(server.serve(sockets=[listening]))
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it by a flag
                await asyncio.sleep(0.005)
            yield terminal
            server.should_exit = True
            await serving
