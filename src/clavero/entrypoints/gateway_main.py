"""The process of one gateway worker."""

import asyncio
import gc
import time

import uvloop

from clavero.bootstrap.gateway import GatewayWorker, Rim
from clavero.domain.reach import read_host
from clavero.entrypoints.exposure import proxies_of
from clavero.entrypoints.http.edge import Inside, Limits
from clavero.entrypoints.http.gateway import Rim as HttpRim
from clavero.entrypoints.http.server import Server
from clavero.entrypoints.logs import AccessLog, Log
from clavero.entrypoints.orders import follow
from clavero.entrypoints.premises import bound_socket
from clavero.entrypoints.processes import Alive, Instructions, Ready, Reporter, be_child, stop_signal
from clavero.entrypoints.reload import certificate_of
from clavero.entrypoints.request_ids import RequestIds

_BEAT_SECONDS = 1.0


async def serve(instructions: Instructions, reporter: Reporter) -> None:
    """Answer until told to drain; the last second of a worker gives its money back."""
    settings = instructions.settings
    log = Log(settings.log.level, instructions.name)
    stop = stop_signal()
    rim = HttpRim(f"{instructions.reach.admin}/errors")
    access = AccessLog() if settings.log.access else None

    def applied(seq: int) -> None:
        reporter.say(Alive(time.monotonic_ns(), seq))

    words = Rim(rim.words, rim.aside, log.say, log.failure, access, applied)
    worker = GatewayWorker(settings, instructions.root_keys, instructions.name, words)
    listening = asyncio.ensure_future(
        follow(instructions.orders_fd, lambda roots: reporter.holds(worker.take_roots(roots.keys)))
    )
    starting = asyncio.ensure_future(_say_alive(reporter))
    await worker.open()
    rim.plugs = worker.plugs
    limits = Limits(body_bytes=settings.gateway.body_bytes)
    ids = RequestIds(worker.plugs.dice, worker.plugs.clock)
    inside = Inside(
        handler=rim.handle, refuse=rim.refuse, new_id=ids.new, clock=worker.plugs.clock, ticker=worker.ticker,
        proxies=proxies_of(settings),
        missed=lambda code, address: worker.plugs.tally.stranger(code, address, int(worker.ticker.now)),
    )  # fmt: skip
    server = Server(inside, limits)
    certificate = certificate_of(instructions, worker.plugs.clock, log)
    sock = bound_socket(instructions.gateway_port, read_host(settings.gateway.host))
    await server.start(sock, certificate.context if certificate else None)
    _settle_memory()
    starting.cancel()
    reporter.say(Ready())
    log.say("started", seq=worker.plugs.view.seq)
    beating = asyncio.ensure_future(_beat(worker, reporter, stop))
    await stop.wait()
    log.say("draining", exchanges=server.exchanges)
    await server.stop(settings.gateway.drain_seconds)
    beating.cancel()
    listening.cancel()
    await worker.close()
    if access is not None:
        access.flush()
    log.say("stopped")


async def _say_alive(reporter: Reporter) -> None:
    """While it starts, perhaps waiting for the database: that is no silence."""
    while True:
        reporter.say(Alive(time.monotonic_ns()))
        await asyncio.sleep(_BEAT_SECONDS)


async def _beat(worker: GatewayWorker, reporter: Reporter, stop: asyncio.Event) -> None:
    while True:
        worker.beat()
        reporter.say(Alive(time.monotonic_ns(), worker.plugs.view.seq))
        if worker.plugs.bank.fenced:  # finish streams, then begin a new boot (L24)
            stop.set()
        await asyncio.sleep(_BEAT_SECONDS)


def _settle_memory() -> None:
    """What is loaded stays: the collector need not walk it again. Objects of an exchange die young (docs/adr)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


if __name__ == "__main__":
    be_child(serve, uvloop.run)
