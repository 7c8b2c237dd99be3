from clavero.bootstrap.simulator import serve_demo
from clavero.entrypoints.premises import bound_socket


async def test_the_demo_provider_serves_on_the_socket_it_is_given() -> None:
    listening = bound_socket(0)
    port = listening.getsockname()[1]
    simulator = await serve_demo(listening)
    assert simulator.port == port
    await simulator.close()
