import asyncio

from clavero.simulator.fixed import Fixed, serve_fixed


async def ask(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    writer.write_eof()
    answer = await reader.read(65536)
    writer.close()
    return answer


async def test_a_request_in_pieces_is_answered_once() -> None:
    server = await serve_fixed(Fixed(b"hello"))
    port = server.sockets[0].getsockname()[1]
    answer = await ask(port, b"POST / HTTP/1.1\r\ncontent-length: 4\r\n", b"\r\nab", b"cd")
    server.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert answer.endswith(b"\r\n\r\nhello")


async def test_a_stream_is_sent_chunk_by_chunk() -> None:
    server = await serve_fixed(Fixed(b"", (b"one", b"two"), pause=0.0))
    port = server.sockets[0].getsockname()[1]
    body = b'{"stream":true}'
    answer = await ask(port, b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
    server.close()
    assert b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n" in answer


async def test_anthropics_path_is_answered_in_its_dialect() -> None:
    server = await serve_fixed(Fixed(b"chat", message=b"message"))
    port = server.sockets[0].getsockname()[1]
    request = b"POST %s HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"
    answers = [await ask(port, request % path) for path in (b"/v1/messages", b"/v1/chat/completions")]
    server.close()
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"message", b"chat"]
