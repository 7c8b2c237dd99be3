"""The process of one scheduled backup: its own, so that packing rows takes no turn of the control plane's loop."""

import asyncio

from clavero.bootstrap.database import prune, take
from clavero.domain.startup import StartFailure
from clavero.entrypoints.logs import Log
from clavero.entrypoints.processes import Instructions, Reporter, be_child


async def serve(instructions: Instructions, reporter: Reporter) -> None:  # noqa: ARG001 - nobody waits for a report
    """Take one backup into DATA/backup and remove the oldest beyond those that stay; say what became of it."""
    log = Log(instructions.settings.log.level, instructions.name)
    try:
        made = await asyncio.to_thread(take, instructions.settings, None, lambda *_: None)
    except StartFailure as failure:
        log.say("backup_failed", "error", code=failure.code, reason=failure.message)
        raise
    gone = await asyncio.to_thread(prune, instructions.settings)
    log.say("backed_up", file=str(made.file), bytes=made.size, rows=made.manifest.rows, removed=len(gone))


if __name__ == "__main__":
    be_child(serve, asyncio.run)
