"""The process of the simulated provider, for the demo."""

import uvloop

from clavero.bootstrap.simulator import serve_demo
from clavero.entrypoints.premises import bound_socket
from clavero.entrypoints.processes import Instructions, Ready, Reporter, be_child, stop_signal


async def serve(instructions: Instructions, reporter: Reporter) -> None:
    """Answer until told to stop."""
    stop = stop_signal()
    port = int(instructions.simulator_url.rpartition(":")[2])
    simulator = await serve_demo(bound_socket(port))
    reporter.say(Ready())
    await stop.wait()
    await simulator.close()


if __name__ == "__main__":
    be_child(serve, uvloop.run)
