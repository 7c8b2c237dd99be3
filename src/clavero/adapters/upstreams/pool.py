"""The one owner of outgoing sockets: `ports.Upstreams`. Calls go to origins that were allowed, and to nowhere else.

There are no redirects: an answer that points elsewhere is an answer. A call that finds its kept connection closed
before a byte of the answer came is sent once more on a fresh one; all other failures are the caller's to weigh.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Final

from clavero.adapters.upstreams.call import Call
from clavero.adapters.upstreams.connection import Connection
from clavero.adapters.upstreams.egress import Origin, Resolver, check_literal, parse
from clavero.adapters.upstreams.place import Place
from clavero.adapters.upstreams.request import written
from clavero.adapters.upstreams.tunnel import Via, credentials, dig, reach, via
from clavero.domain.calls import AddressRefused, CallFailed, ConnectFailed, ConnectionLost, ProxyFailed
from clavero.domain.credentials import Network
from clavero.domain.proxies import Outward
from clavero.ports.clock import Ticker
from clavero.ports.upstreams import Deadlines, Line, Outgoing, Taker

_CLOSING_TURNS: Final = 100  # of 10 ms
STRAIGHT: Final = Outward()


class Pool:
    """Kept connections by origin. The ticker must run; `extra_ca` is a PEM file trusted beside the system's store.

    `outward` says through which proxies calls leave; those to this machine never do.
    """

    def __init__(
        self,
        ticker: Ticker,
        *,
        outward: Outward = STRAIGHT,
        extra_ca: Path | None = None,
        idle_seconds: float = 30.0,
        idle_most: int = 256,
    ) -> None:
        self._ticker = ticker
        self._outward = outward
        self._extra_ca = extra_ca
        self._idle_seconds = idle_seconds
        self._idle_most = idle_most
        self._places: dict[str, Place[Connection]] = {}
        self._resolver = Resolver(ticker)
        self._context: ssl.SSLContext | None = None
        self._dialled: set[Call] = set()
        self._closed = False
        self.connections: set[Connection] = set()

    def allow(self, origin: str, network: str) -> None:
        """Let calls go to an origin of this network class; raises `ValueError` where either cannot be."""
        parsed, kind = parse(origin), Network(network)
        way = self._way(parsed, kind)
        if (parsed.tls or (way and way.origin.tls)) and self._context is None:
            self._context = trust(self._extra_ca)
        place = self._places.get(origin)
        if place is None:
            self._places[origin] = Place(parsed, kind, self._idle_most, way)
        elif place.network is not kind:
            place.change(kind, way)

    def send(self, origin: str, outgoing: Outgoing, taker: Taker, deadlines: Deadlines) -> Line:
        """Start a call; its failures go to the taker, and never before this has returned."""
        place = self._places.get(origin)
        call = Call(place, taker, deadlines, self._ticker.now)
        if place is None or self._closed:
            refusal = ConnectFailed("the gateway is stopping") if self._closed else AddressRefused("no such origin")
            asyncio.get_running_loop().call_soon(call.fail, refusal)
            return call
        try:
            call.data = written(outgoing, place.origin.authority, _proxied(place))
        except CallFailed as error:
            asyncio.get_running_loop().call_soon(call.fail, error)
            return call
        connection = place.take()
        if connection is None:
            self.dial(call)
        else:
            connection.carry(call)
        return call

    async def close(self) -> None:
        """Fail what is under way, close all connections."""
        self._closed = True
        for call in list(self._dialled):
            call.fail(ConnectFailed("the gateway is stopping"))
        for connection in list(self.connections):
            connection.close(ConnectionLost("the gateway is stopping"))
        for _ in range(_CLOSING_TURNS):
            if not self.connections and not self._dialled:
                return
            await asyncio.sleep(0.01)

    def dial(self, call: Call) -> None:
        """Carry this call on a fresh connection."""
        self._dialled.add(call)
        call.deadline = min(self._ticker.now + call.deadlines.connect, call.total_at)
        self._ticker.add(call)
        task = call.dialling = asyncio.get_running_loop().create_task(self._dial(call))
        # Also by callback: a task that is cancelled before it first runs leaves no trace of its own.
        task.add_done_callback(lambda _: self._forget(call))

    async def _dial(self, call: Call) -> None:
        try:
            connection = await self._connect(call)
        except CallFailed as error:
            failure: CallFailed = error
        except (OSError, ValueError) as error:  # ValueError: a name that TLS cannot ask for
            failure = ConnectFailed(_reason(error))
        else:
            self._forget(call)
            if call.ended:
                connection.transport.abort()
            else:
                connection.carry(call)
            return
        self._forget(call)
        call.fail(failure)

    def _forget(self, call: Call) -> None:
        """It is no longer connecting."""
        call.dialling = None
        self._dialled.discard(call)
        self._ticker.discard(call)

    async def _connect(self, call: Call) -> Connection:
        """Try the allowed addresses in turn; all but the last may take only their share of the time."""
        place = call.place
        assert place is not None  # noqa: S101 - it was, when the call was sent
        if place.way is None:
            target = place.origin
            addresses = await self._resolver.addresses(target, place.network)
        else:
            check_literal(place.origin, place.network)
            target = place.way.origin
            addresses = await self._resolver.proxy_addresses(target)
        share = call.deadlines.connect / len(addresses)
        for address in addresses[:-1]:
            with contextlib.suppress(OSError, ProxyFailed):
                async with asyncio.timeout(share):
                    return await self._connect_to(place, address)
        try:
            return await self._connect_to(place, addresses[-1])
        except (OSError, ProxyFailed):
            self._resolver.forget(target)
            raise

    async def _connect_to(self, place: Place[Connection], address: str) -> Connection:
        origin, way = place.origin, place.way

        def make() -> Connection:
            return Connection(place, self._ticker, self, self._idle_seconds)

        if way is None:
            _, connection = await asyncio.get_running_loop().create_connection(
                make,
                address,
                origin.port,
                ssl=self._context if origin.tls else None,
                server_hostname=origin.host if origin.tls else None,
            )
            return connection
        context = self._context or trust(self._extra_ca)
        if origin.tls:
            return await dig(address, way, origin, context, make)
        return (await reach(address, way, context, make))[1]

    def _way(self, origin: Origin, network: Network) -> Via | None:
        if network is Network.LOOPBACK:
            return None
        return via(self._outward.proxy_for(origin.host, origin.port, tls=origin.tls))


def _proxied(place: Place[Connection]) -> str | None:
    """What a request in the clear says to the proxy that passes it on; None where no proxy reads it."""
    return None if place.way is None or place.origin.tls else credentials(place.way.authorization)


def trust(extra_ca: Path | None) -> ssl.SSLContext:
    """The system's store, and one more file where the operator names one; raises `OSError` where it cannot be read."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if extra_ca is not None:
        context.load_verify_locations(cafile=extra_ca)
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return str(error) or type(error).__name__
