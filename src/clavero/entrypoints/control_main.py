"""The process of the control plane: console, admin API, ingest, reclaim."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
import uvloop

from clavero import __version__
from clavero.bootstrap.control import ControlPlane, machine_clock, open_control
from clavero.bootstrap.witnesses import followers_of
from clavero.control import custody, rekey, signin
from clavero.control.catalog import update_prices
from clavero.control.checkpoints import Notary, Trouble
from clavero.control.commit import Desk, perform
from clavero.control.custody import Swept
from clavero.control.retention import Forgotten
from clavero.control.vault_status import keep_seal_known
from clavero.domain.access import SYSTEM
from clavero.domain.reach import read_host
from clavero.entrypoints import demo
from clavero.entrypoints.certificates import Served
from clavero.entrypoints.duties import Duties, Work
from clavero.entrypoints.endings import alarm, teller, told_again, watch_epoch
from clavero.entrypoints.exposure import proxies_of
from clavero.entrypoints.http.admin.app import make_app
from clavero.entrypoints.http.admin.facts import AdminFacts
from clavero.entrypoints.http.admin.hearing import Hearing, hearing_at
from clavero.entrypoints.http.admin.listening import AdminServer
from clavero.entrypoints.http.console.mount import mount
from clavero.entrypoints.logs import Log
from clavero.entrypoints.orders import Supervised
from clavero.entrypoints.premises import bound_socket, write_private
from clavero.entrypoints.processes import Alive, Instructions, Ready, Reporter, be_child, stop_signal
from clavero.entrypoints.reload import certificate_of
from clavero.entrypoints.schedule import backups, in_a_process
from clavero.gateway.tally import Tally

_BEAT_SECONDS = 1.0
_NAMED = 20  # keys in one line of the log


async def serve(instructions: Instructions, reporter: Reporter) -> None:
    """Decide and remember until told to stop; the workers have written their last frames by then."""
    settings = instructions.settings
    log = Log(settings.log.level, instructions.name)
    stop = stop_signal()
    hearing = hearing_at(machine_clock(), alarm(log))
    beating = asyncio.ensure_future(_beat(reporter, hearing))
    supervised = Supervised(instructions, reporter)
    listening = asyncio.ensure_future(supervised.listen())
    plane = await open_control(settings, supervised, hearing.heard, lambda error: log.failure("end_not_noted", error))
    await _recovered(plane, log)
    facts = await _first_steps(plane.desk, instructions)
    notary = Notary(plane.desk, plane.witnesses, _troubles(log))
    await notary.open()
    duties = Duties(log)
    for name, work in _duties(plane, instructions, notary, log).items():
        duties.begin(name, work)
    certificate = certificate_of(instructions, machine_clock(), log)
    server = _server(plane, instructions, hearing, certificate, log)
    sock = bound_socket(instructions.admin_port, read_host(settings.admin.host))
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells by this flag alone
        await asyncio.sleep(0.005)
    reporter.say(Ready(facts))
    log.say("started")
    await stop.wait()
    hearing.tail.end()
    server.should_exit = True
    await serving
    listening.cancel()
    await duties.end()
    with contextlib.suppress(OSError):  # a database that is away, a full disk: the next start reads it
        await asyncio.to_thread(plane.reading.reclaim.sweep)
    await notary.last()
    await plane.close()
    beating.cancel()
    log.say("stopped")


def _duties(plane: ControlPlane, instructions: Instructions, notary: Notary, log: Log) -> dict[str, Work]:
    """What runs beside the server, by name."""
    followers = followers_of(instructions.settings, plane.desk, _troubles(log))
    return {
        **{f"follower_{number}": follower.forever for number, follower in enumerate(followers, 1)},
        "notary": notary.forever,
        "ingest": plane.reading.ingest.forever,
        "reclaim": lambda: plane.reading.reclaim.forever(teller(log)),
        "rekey": lambda: rekey.forever(plane.desk, lambda why: log.say("rekey_stuck", "warning", why=why)),
        "custody": lambda: custody.forever(plane.desk, lambda swept: _orphaned(log, swept)),
        "forgetting": lambda: plane.forgetting.forever(lambda gone: _forgot(log, gone)),
        "epoch": lambda: watch_epoch(plane.reading.recovery, log),
        "backups": lambda: backups(instructions, machine_clock(), in_a_process),
    }


async def _beat(reporter: Reporter, hearing: Hearing) -> None:
    """Say that the loop turns, from the first step on: a migration may take long, and is no silence."""
    while True:
        reporter.say(Alive(time.monotonic_ns()))
        due = time.monotonic() + _BEAT_SECONDS
        await asyncio.sleep(_BEAT_SECONDS)
        hearing.recent.loop_lag_us = max(0, round((time.monotonic() - due) * 1e6))


def _troubles(log: Log) -> Callable[[Trouble], None]:
    return lambda trouble: log.say(trouble.what, "error", detail=trouble.detail)


def _orphaned(log: Log, swept: Swept) -> None:
    """Keys whose owner has left, and which should have had another one by now."""
    log.say(
        "keys_transfer_overdue", "error", count=len(swept.overdue), names=list(swept.overdue[:_NAMED]),
        suspended=list(swept.suspended[:_NAMED]),
    )  # fmt: skip


def _forgot(log: Log, gone: Forgotten) -> None:
    log.say("forgotten", kept=gone.kept.value, before_day=gone.before_day, rows=gone.rows)


async def _recovered(plane: ControlPlane, log: Log) -> None:
    """Tell what was read again after a restore, and end again what had ended (L31)."""
    if plane.came_back is None:
        return
    told_again(log, plane.came_back)
    if plane.came_back.is_restore:
        log.say("ended_again", told=await plane.recovered(plane.came_back))


async def _first_steps(desk: Desk, instructions: Instructions) -> dict[str, str]:
    """The price list, the admin token, the demo, and a link to sign in with."""
    settings = instructions.settings
    gateway, admin = instructions.reach.gateway, instructions.reach.admin
    await keep_seal_known(desk)
    await update_prices(desk)
    await _admin_token(desk, settings.data / "admin.token")
    facts = {"version": __version__}
    if instructions.simulator_url:
        names = await demo.prepare(desk, instructions.simulator_url, gateway, settings.data / "demo")
        facts["demo_keys"] = " ".join(names)
    link = await perform(desk, SYSTEM, signin.create_link)
    async with desk.store.read() as look:
        (newest,) = await look.rows("published_seq")
    return facts | {"link": f"{admin}/sign-in#{link.reveal()}", "seq": str(newest["seq"])}


async def _admin_token(desk: Desk, file: Path) -> None:
    """The token of the command line; a file that was deleted gets a new one."""
    if not await asyncio.to_thread(file.exists):
        token = await perform(desk, SYSTEM, signin.create_token)
        write_private(file, token.reveal().encode() + b"\n")


def _server(
    plane: ControlPlane, instructions: Instructions, hearing: Hearing, certificate: Served | None, log: Log
) -> AdminServer:
    gateway, admin = instructions.reach.gateway, instructions.reach.admin
    proxies = proxies_of(instructions.settings)
    facts = AdminFacts(
        version=__version__, gateway_url=gateway, console_url=admin, meter=hearing.meter, tail=hearing.tail,
        recent=hearing.recent, journal=instructions.settings.data / "journal",
        settings=instructions.sources, proxies=proxies, certificate=certificate, witnesses=plane.witnesses,
    )  # fmt: skip
    app = make_app(plane.desk, facts)
    mount(app, plane.desk, gateway_url=gateway, tail=hearing.tail)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, date_header=True,
        lifespan="off", timeout_graceful_shutdown=3, proxy_headers=False,
    )  # fmt: skip
    tally = Tally(lambda code, address: log.say("stranger", "warning", code=code, address=address))
    clock = machine_clock()
    return AdminServer(
        config, proxies, certificate.context if certificate else None,
        lambda code, address: tally.stranger(code, address, clock.monotonic_ns() // 1_000_000_000),
    )  # fmt: skip


if __name__ == "__main__":
    be_child(serve, uvloop.run)
