"""How the admin listener listens: uvicorn behind a door of ours, which looks before it lets in."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import uvicorn

from clavero.domain.catalogue import fact_and_fix
from clavero.domain.errors import TlsRequired
from clavero.domain.forwarded import Proxies
from clavero.entrypoints.http.listener import Entry, Listener

Missed = Callable[[str, str], None]


class AdminServer(uvicorn.Server):
    """uvicorn on sockets that are handed to it. `missed` hears who was let go before a first request."""

    def __init__(self, config: uvicorn.Config, proxies: Proxies, tls: ssl.SSLContext | None, missed: Missed) -> None:
        super().__init__(config)
        self._proxies = proxies
        self._tls = tls
        self._missed = missed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; as uvicorn's own, which would take whoever comes."""
        await self.lifespan.startup()
        entry = Entry(
            make=self._protocol, missed=self._missed, proxies=self._proxies, tls=self._tls,
            in_the_clear=in_the_clear(),
        )  # fmt: skip
        listeners: list[Any] = [Listener(sock, entry) for sock in sockets or ()]  # as far as uvicorn uses them
        self.servers = listeners
        self.started = True

    def install_signal_handlers(self) -> None:
        """None: the supervisor's signals are ours."""

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made


def in_the_clear() -> bytes:
    """What a caller without TLS is answered on a port of TLS."""
    fact, fix = fact_and_fix(TlsRequired(), "en")
    body = json.dumps({"error": {"code": TlsRequired.code, "message": fact, "fix": fix}}).encode()
    top = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{top}connection: close\r\n\r\n".encode("ascii") + body
