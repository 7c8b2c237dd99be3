"""The process that reads the journals of a machine whose control plane is elsewhere."""

import asyncio
import contextlib
import time

import uvloop

from clavero import __version__
from clavero.bootstrap.reading import Reading, open_reading
from clavero.domain.startup import StartFailure
from clavero.entrypoints.duties import Duties
from clavero.entrypoints.endings import teller, told_again, watch_epoch
from clavero.entrypoints.logs import Log
from clavero.entrypoints.processes import Alive, Instructions, Ready, Reporter, be_child, stop_signal

_BEAT_SECONDS = 1.0
_FIRST_LOOK_SECONDS = 10.0  # for a database that begins at the same time


async def serve(instructions: Instructions, reporter: Reporter) -> None:
    """Read and reclaim until told to stop; the workers have written their last frames by then."""
    log = Log(instructions.settings.log.level, instructions.name)
    stop = stop_signal()
    beating = asyncio.ensure_future(_beat(reporter))
    reading = open_reading(instructions.settings)
    await _first_look(reading)
    recovered = await asyncio.to_thread(reading.recovery.run)
    if recovered is not None:
        told_again(log, recovered)
    duties = Duties(log)
    duties.begin("ingest", reading.ingest.forever)
    duties.begin("reclaim", lambda: reading.reclaim.forever(teller(log)))
    duties.begin("epoch", lambda: watch_epoch(reading.recovery, log))
    reporter.say(Ready({"version": __version__}))
    log.say("started")
    await stop.wait()
    await duties.end()
    with contextlib.suppress(OSError):
        await asyncio.to_thread(reading.reclaim.sweep)
    await reading.close()
    beating.cancel()
    log.say("stopped")


async def _beat(reporter: Reporter) -> None:
    while True:
        reporter.say(Alive(time.monotonic_ns()))
        await asyncio.sleep(_BEAT_SECONDS)


async def _first_look(reading: Reading) -> None:
    """Find the ledger that a control plane has made; `StartFailure` where there is none."""
    until = time.monotonic() + _FIRST_LOOK_SECONDS
    while True:
        try:
            await asyncio.to_thread(reading.books.boots)
        except ConnectionError:
            if time.monotonic() > until:
                message = "DATABASE_URL leads to no database that a control plane has made"
                fix = "start the machine of the control plane first, and give both the same DATABASE_URL"
                raise StartFailure("control_plane_unseen", message, fix) from None
            await asyncio.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    be_child(serve, uvloop.run)
