"""When a backup is due, and who takes it: nothing is remembered but what the newest file says."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from clavero.bootstrap.database import newest_ns
from clavero.entrypoints.processes import Instructions, hand_over
from clavero.ports.clock import Clock
from clavero.settings import environment

_LOOK_SECONDS = 60.0
_AFTER_FAILURE_SECONDS = 600.0
_HOUR_NS = 3600 * 1_000_000_000


async def backups(instructions: Instructions, clock: Clock, run: Callable[[Instructions], Awaitable[int]]) -> None:
    """Take a backup whenever the newest in DATA/backup is older than the setting says; never, where it says 0."""
    hours = instructions.settings.backup.every_hours
    while hours:
        newest = await asyncio.to_thread(newest_ns, instructions.settings)
        pause = _LOOK_SECONDS
        if clock.wall_ns() - newest >= hours * _HOUR_NS and await run(instructions):
            pause = _AFTER_FAILURE_SECONDS
        await asyncio.sleep(pause)


async def in_a_process(instructions: Instructions) -> int:
    """Take one backup in a process that has no root key; its exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    orders = hand_over(replace(instructions, root_keys=(), report_fd=nowhere, name="backup"))
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clavero.entrypoints.backup_main", str(orders), str(os.getpid()),
            pass_fds=(orders, nowhere), env=environment(), start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(orders)
        os.close(nowhere)
    return await process.wait()
