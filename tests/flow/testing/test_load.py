from clavero.simulator.fixed import Fixed, serve_fixed
from clavero.testing.load import load, post

CHUNKS = (b"data: a\n\n", b"data: b\n\n", b"data: [DONE]\n\n")


async def test_every_answer_is_counted_once() -> None:
    server = await serve_fixed(Fixed(b'{"ok":true}'))
    port = server.sockets[0].getsockname()[1]
    result = await load(port, post("x", "/v1/chat/completions", {}, b"{}"), 100, connections=8)
    server.close()
    assert result.answers == {200: 100}
    assert result.broken == 0
    assert result.quantile_us(0.99) >= result.quantile_us(0.5) > 0


async def test_a_stream_counts_when_its_last_chunk_came() -> None:
    server = await serve_fixed(Fixed(b"{}", CHUNKS, pause=0.0))
    port = server.sockets[0].getsockname()[1]
    result = await load(port, post("x", "/", {}, b'{"stream":true}'), 20, connections=4)
    server.close()
    assert result.answers == {200: 20}


async def test_a_paced_run_takes_its_time() -> None:
    server = await serve_fixed(Fixed(b"{}"))
    port = server.sockets[0].getsockname()[1]
    result = await load(port, post("x", "/", {}, b"{}"), 20, connections=4, per_second=200)
    server.close()
    assert result.count == 20
    assert result.seconds >= 0.08
