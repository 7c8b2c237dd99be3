"""Raw bytes in, status and end expected: each row of the hygiene table, with what the parser lets pass."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable

import pytest
from tests.flow.entrypoints.http.door import GET, Door, echo, elsewhere

from clavero.domain.errors import Problem
from clavero.domain.forwarded import read_proxies
from clavero.entrypoints.http.edge import Limits
from clavero.ports.client import Client, Request

Opening = Callable[..., Awaitable[Door]]

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {
    "length-and-chunks": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "malformed_request"),
    "chunks-and-length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "malformed_request"),
    "two-lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "malformed_request"),
    "listed-length": (POST + b"Content-Length: 3, 3\r\n\r\nabc", "malformed_request"),
    "signed-length": (POST + b"Content-Length: +3\r\n\r\nabc", "malformed_request"),
    "hex-length": (POST + b"Content-Length: 0x3\r\n\r\nabc", "malformed_request"),
    "empty-length": (POST + b"Content-Length:\r\n\r\nabc", "malformed_request"),
    "overflowing-length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", "malformed_request"),
    "bare-lf": (b"GET / HTTP/1.1\nHost: x\n\n", "malformed_request"),
    "bare-cr": (b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", "malformed_request"),
    "folded-line": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "malformed_request"),
    "space-before-colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "malformed_request"),
    "space-before-header": (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", "malformed_request"),
    "bad-name": (b"GET / HTTP/1.1\r\nHost: x\r\nA(b): c\r\n\r\n", "malformed_request"),
    "nul-in-value": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", "malformed_request"),
    "control-in-value": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x01c\r\n\r\n", "malformed_request"),
    "nul-in-target": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "high-byte-in-target": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "unknown-method": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "lower-case-method": (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "method-not-served": (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", "method_not_allowed"),
    "high-byte-in-key": (GET[:-2] + b"Authorization: Bearer \xe9\r\n\r\n", "invalid_header"),
    "te-xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", "malformed_request"),
    "te-identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", "malformed_request"),
    "te-chunked-gzip": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", "malformed_request"),
    "te-gzip-chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "malformed_request"),
    "te-twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed_request"),
    "chunk-size-bad": (CHUNKED + b"zz\r\n", "malformed_request"),
    "chunk-size-signed": (CHUNKED + b"+1\r\na\r\n0\r\n\r\n", "malformed_request"),
    "chunk-without-end": (CHUNKED + b"1\r\nab\r\n0\r\n\r\n", "malformed_request"),
    "chunk-extension-long": (CHUNKED + b"1;" + b"e" * 5000 + b"\r\na\r\n0\r\n\r\n", "malformed_request"),
    "trailer": (CHUNKED + b"1\r\na\r\n0\r\nAuthorization: Bearer b\r\n\r\n", "malformed_request"),
    "no-host": (b"GET / HTTP/1.1\r\n\r\n", "missing_header"),
    "empty-host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "invalid_header"),
    "two-hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "invalid_header"),
    "host-with-path": (b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", "invalid_header"),
    "host-with-user": (b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "invalid_header"),
    "two-keys": (GET[:-2] + b"Authorization: a\r\nauthorization: b\r\n\r\n", "invalid_header"),
    "two-types": (GET[:-2] + b"Content-Type: a\r\nContent-Type: b\r\n\r\n", "invalid_header"),
    "http-0.9": (b"GET /\r\n\r\n", "malformed_request"),
    "http-2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed_request"),
    "http-1.2": (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", "malformed_request"),
    "ice": (b"SOURCE / ICE/1.0\r\nHost: x\r\n\r\n", "method_not_allowed"),
    "http-1.0-without-host": (b"GET / HTTP/1.0\r\n\r\n", "missing_header"),
    "http-1.0-chunked": (b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed_request"),
    "absolute-form": (b"GET http://x/v1/models HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "asterisk-form": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "fragment": (b"GET /v1/models#x HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "connect": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", "malformed_request"),
    "upgrade": (GET[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", "malformed_request"),
    "upgrade-with-body": (
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        "malformed_request",
    ),
    "long-header": (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40_000, "head_too_large"),
    "many-headers": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n", "head_too_large"),
    "long-target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "head_too_large"),
    "empty-lines": (b"\r\n" * 20_000, "head_too_large"),
    "body-too-long": (POST + b"Content-Length: 10485761\r\n\r\n", "body_too_large"),
    "compressed": (POST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "unsupported_media_type"),
    "expectation": (POST + b"Expect: 200-ok\r\nContent-Length: 3\r\n\r\n", "expectation_failed"),
    "not-http": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "malformed_request"),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED)
async def test_what_two_readers_could_take_differently_is_refused_and_the_connection_ends(
    door: Door, row: tuple[bytes, str]
) -> None:
    data, code = row
    caller = await door.connect()
    caller.send(data)
    said = await caller.gone()
    await caller.close()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close\r\n" in said
    assert said.endswith(b"\r\n\r\n" + code.encode())
    assert not door.requests


TAKEN = {
    "plain": (GET, b"GET /v1/models 0"),
    "dribbled-dot-segments": (b"GET /v1/../x HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/../x 0"),
    "double-slash": (b"GET //v1/models HTTP/1.1\r\nHost: x\r\n\r\n", b"GET //v1/models 0"),
    "two-spaces": (b"GET  /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/models 0"),
    "body": (POST + b"Content-Length: 3\r\n\r\nabc", b"POST /v1/chat/completions 3"),
    "chunks": (CHUNKED + b"1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n", b"POST /v1/chat/completions 3"),
    "identity": (POST + b"Content-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", b"POST /v1/chat/completions 3"),
    "host-with-port": (b"GET / HTTP/1.1\r\nHost: my_host.lan:4141\r\n\r\n", b"GET / 0"),
    "host-v6": (b"GET / HTTP/1.1\r\nHost: [::1]:4141\r\n\r\n", b"GET / 0"),
    "high-byte-in-unused": (GET[:-2] + b"X-Note: \xe9\r\n\r\n", b"GET /v1/models 0"),
    "empty-line-before": (b"\r\n" + GET, b"GET /v1/models 0"),
    "99-headers": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 99 + b"\r\n", b"GET / 0"),
}


@pytest.mark.parametrize("row", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("piece", [1_000_000, 7])
async def test_what_has_one_meaning_is_taken_however_it_is_cut(
    door: Door, row: tuple[bytes, bytes], piece: int
) -> None:
    data, wanted = row
    caller = await door.connect()
    for start in range(0, len(data), piece):
        caller.send(data[start : start + piece])
        await asyncio.sleep(0)
    _, body = await caller.answer()
    caller.send(GET)
    _, again = await caller.answer()
    await caller.close()
    assert (body, again) == (wanted, b"GET /v1/models 0")


async def test_the_request_is_handed_over_with_names_folded_and_its_times(door: Door) -> None:
    fields = b"AUTHORIZATION: Bearer k\r\nX-Odd-Name: a\r\nx-odd-name: b\r\nCookie: a=1\r\ncookie: b=2\r\n"
    await door.say(GET[:-2] + fields + b"\r\n")
    request = door.requests[0]
    assert request.headers == {
        "host": "x",
        "authorization": "Bearer k",
        "x-odd-name": "a, b",
        "cookie": "a=1; b=2",
    }
    assert (request.id, request.peer, request.method) == ("req_1", "127.0.0.1", "GET")
    assert (request.at_ns, request.started_ns) == (door.clock.wall_ns(), door.clock.monotonic_ns())


async def test_a_refusal_knows_as_much_of_the_request_as_came(door: Door) -> None:
    await door.say(POST + b"anthropic-version: 2023-06-01\r\nContent-Length: 10485761\r\n\r\n")
    request = door.problems[0][1]
    assert request is not None
    assert (request.path, request.headers["anthropic-version"]) == ("/v1/chat/completions", "2023-06-01")


async def test_a_refused_caller_reads_why_while_it_still_sends(door: Door) -> None:
    caller = await door.connect()
    caller.send(POST + b"Content-Length: 20000000\r\n\r\n")
    for _ in range(100):
        caller.send(b"x" * 65536)
        await asyncio.sleep(0)
    assert (await caller.rest()).endswith(b"body_too_large")
    await caller.close()


async def test_a_chunked_body_over_the_limit_is_refused_when_it_passes_it(opening: Opening) -> None:
    door = await opening(limits=Limits(body_bytes=1000))
    said = await door.say(CHUNKED + b"3e8\r\n" + b"x" * 1000 + b"\r\n", b"1\r\nx\r\n")
    assert said.endswith(b"body_too_large")
    assert not door.requests


async def test_a_body_of_exactly_the_limit_is_taken(opening: Opening) -> None:
    door = await opening(limits=Limits(body_bytes=1000))
    assert (await door.say(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000)).endswith(b" 1000")


async def test_bodies_that_are_not_whole_may_not_fill_the_memory(opening: Opening) -> None:
    door = await opening(limits=Limits(bodies_bytes=100_000))
    half = POST + b"Content-Length: 80000\r\n\r\n" + b"x" * 60_000
    first = await door.connect()
    first.send(half)
    await asyncio.sleep(0.05)
    assert (await door.say(half)).endswith(b"overloaded")
    first.send(b"x" * 20_000)
    assert (await first.answer())[1].endswith(b" 80000")
    await first.close()
    assert (await door.say(half, b"x" * 20_000)).endswith(b" 80000")


async def test_the_caller_who_asks_first_is_told_to_go_on(door: Door) -> None:
    caller = await door.connect()
    caller.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert await caller.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    caller.send(b"abc")
    assert (await caller.answer())[1].endswith(b" 3")
    await caller.close()


async def test_the_caller_who_asks_first_is_refused_before_it_sends(door: Door) -> None:
    said = await door.say(POST + b"Expect: 100-continue\r\nContent-Length: 10485761\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_request_behind_the_first_is_dropped_and_the_connection_ends(
    opening: Opening, together: bool
) -> None:
    go = asyncio.Event()

    async def slow(request: Request, client: Client) -> None:
        await go.wait()
        await echo(request, client)

    door = await opening(slow)
    caller = await door.connect()
    caller.send(GET + GET if together else GET)
    await asyncio.sleep(0.05)
    if not together:
        caller.send(GET)
        await asyncio.sleep(0.05)
    go.set()
    said = await caller.gone()
    await caller.close()
    assert said.count(b"HTTP/1.1 200 OK") == 1
    assert b"connection: close" in said
    assert len(door.requests) == 1


async def test_a_head_that_does_not_end_is_refused_after_its_time_however_it_drips(door: Door) -> None:
    caller = await door.connect()
    caller.send(b"GET / HT")
    await asyncio.sleep(0.05)
    door.pass_time(4.9)
    caller.send(b"TP/1.1\r\nA: ")
    await asyncio.sleep(0.05)
    assert await caller.rest() == b""
    door.pass_time(0.2)
    assert (await caller.gone()).endswith(b"request_timeout")
    await caller.close()


async def test_a_body_slower_than_its_rate_is_refused_and_a_slow_good_one_is_not(door: Door) -> None:
    good, bad = await door.connect(), await door.connect()
    for caller in (good, bad):
        caller.send(POST + b"Content-Length: 30000\r\n\r\n")
    await asyncio.sleep(0.05)
    for _ in range(12):
        good.send(b"x" * 1100)
        bad.send(b"x" * 900)
        await asyncio.sleep(0.01)
        door.pass_time(1.0)
    assert (await bad.gone()).endswith(b"request_timeout")
    good.send(b"x" * (30_000 - 12 * 1100))
    assert (await good.answer())[1].endswith(b" 30000")
    await good.close()
    await bad.close()


async def test_an_idle_connection_is_closed_after_its_time_and_not_before(door: Door) -> None:
    caller = await door.connect()
    caller.send(GET)
    await caller.answer()
    door.pass_time(74)
    caller.send(GET)
    await caller.answer()
    door.pass_time(74)
    assert not await caller.rest()
    assert not caller.ended
    door.pass_time(2)
    assert await caller.gone() == b""
    await caller.close()


async def test_a_caller_that_does_not_read_pauses_its_provider_and_is_ended_after_its_time(opening: Opening) -> None:
    flow: list[str] = []

    async def flood(request: Request, client: Client) -> None:
        client.on_flow(lambda: flow.append("pause"), lambda: flow.append("resume"))
        client.start(200, [])
        while not flow:
            client.write(b"x" * 65536)
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    door = await opening(flood)
    caller = await door.connect()
    caller.send(GET)
    await asyncio.sleep(0.3)
    assert flow == ["pause"]
    door.pass_time(29)
    await asyncio.sleep(0.05)
    assert not door.left
    door.pass_time(1.5)
    await asyncio.sleep(0.05)
    assert door.left == ["req_1"]
    await caller.close()


async def test_a_caller_that_catches_up_resumes_its_provider(opening: Opening) -> None:
    flow: list[str] = []

    async def flood(request: Request, client: Client) -> None:
        client.on_flow(lambda: flow.append("pause"), lambda: flow.append("resume"))
        client.start(200, [])
        while not flow:
            client.write(b"x" * 65536)
            await asyncio.sleep(0)
        while "resume" not in flow:  # noqa: ASYNC110 - the callback is what is tested
            await asyncio.sleep(0.01)
        client.finish()

    door = await opening(flood)
    caller = await door.connect()
    caller.send(GET)
    await asyncio.sleep(0.3)
    assert (await caller.rest(0.3)).endswith(b"0\r\n\r\n")
    assert flow == ["pause", "resume"]
    door.pass_time(31)
    caller.send(GET)
    assert (await caller.rest(0.3)).endswith(b"0\r\n\r\n")
    await caller.close()


@pytest.mark.parametrize("how", ["close", "reset", "half"])
async def test_the_task_is_cancelled_when_the_caller_leaves(opening: Opening, how: str) -> None:
    async def forever(request: Request, client: Client) -> None:
        await asyncio.Event().wait()

    door = await opening(forever)
    caller = await door.connect()
    caller.send(GET)
    await asyncio.sleep(0.05)
    if how == "reset":
        caller.reset()
    elif how == "half":
        caller._writer.write_eof()
    else:
        await caller.close()
    await asyncio.sleep(0.05)
    assert door.left == ["req_1"]
    assert (door.server.connections, door.server.exchanges) == (0, 0)
    await caller.close()


async def test_a_caller_that_leaves_after_its_answer_cancels_nothing(opening: Opening) -> None:
    done: list[bool] = []

    async def long_closing(request: Request, client: Client) -> None:
        await echo(request, client)
        await asyncio.sleep(0.1)
        done.append(True)

    door = await opening(long_closing)
    caller = await door.connect()
    caller.send(GET)
    await caller.answer()
    await caller.close()
    await asyncio.sleep(0.2)
    assert done
    assert not door.left


async def test_a_caller_quicker_than_the_tasks_last_steps_is_answered_after_them(opening: Opening) -> None:
    order: list[str] = []

    async def long_closing(request: Request, client: Client) -> None:
        order.append("begin")
        await echo(request, client)
        await asyncio.sleep(0.1)
        order.append("end")

    door = await opening(long_closing)
    caller = await door.connect()
    for _ in range(2):
        caller.send(GET)
        await caller.answer()
    await caller.close()
    assert order[:3] == ["begin", "end", "begin"]
    assert not door.left


async def test_an_answer_may_come_after_its_task_has_ended(opening: Opening) -> None:
    async def deferred(request: Request, client: Client) -> None:
        asyncio.get_running_loop().call_later(0.05, client.reply, 200, [], b"later")

    door = await opening(deferred)
    caller = await door.connect()
    for _ in range(2):
        caller.send(GET)
        assert (await caller.answer())[1] == b"later"
    await caller.close()


async def test_an_exchange_that_forgets_to_answer_is_a_failure_of_ours_and_never_a_hang(opening: Opening) -> None:
    async def silent(request: Request, client: Client) -> None: ...

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    door = await opening(silent)
    caller = await door.connect()
    caller.send(GET)
    await asyncio.sleep(0.05)
    door.pass_time(10.1)
    assert (await caller.answer())[1] == b"internal_error"
    await caller.close()


@pytest.mark.parametrize("begun", [False, True])
async def test_an_exchange_that_raises_is_a_failure_of_ours_without_its_traceback(
    opening: Opening, begun: bool
) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))

    async def broken(request: Request, client: Client) -> None:
        if begun:
            client.start(200, [])
            client.write(b"half")
        raise RuntimeError("secret detail")

    door = await opening(broken)
    caller = await door.connect()
    caller.send(GET)
    said = await caller.rest()
    await caller.close()
    assert b"secret" not in said
    assert said.endswith(b"4\r\nhalf\r\n" if begun else b"internal_error")
    assert caller.ended is begun
    assert told


async def test_a_refusal_that_cannot_be_worded_is_still_an_answer(door: Door) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    class Broken(list[tuple[Problem, Request | None]]):
        def append(self, item: tuple[Problem, Request | None], /) -> None:
            raise RuntimeError("no words")

    door.problems = Broken()
    assert (await door.say(b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 500 ")


async def test_one_address_has_so_many_connections_and_no_more(opening: Opening) -> None:
    door = await opening(limits=Limits(per_address=2))
    callers = [await door.connect() for _ in range(2)]
    await asyncio.sleep(0.05)
    assert (await door.say()).endswith(b"overloaded")
    await callers[0].close()
    await asyncio.sleep(0.05)
    assert (await door.say(GET)).endswith(b"GET /v1/models 0")
    for caller in callers:
        await caller.close()


async def test_a_proxy_has_as_many_connections_as_it_wants(opening: Opening) -> None:
    door = await opening(limits=Limits(per_address=2), proxies=read_proxies("127.0.0.1/32"))
    callers = [await door.connect() for _ in range(6)]
    callers[-1].send(GET)
    await callers[-1].answer()
    for caller in callers:
        await caller.close()


FORGED = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.7\r\nForwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n\r\n"


@pytest.mark.parametrize(
    ("proxies", "peer"), [("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1/32", "203.0.113.7")]
)
async def test_whose_request_it_is_a_trusted_proxy_says_and_nobody_else(
    opening: Opening, proxies: str, peer: str
) -> None:
    door = await opening(proxies=read_proxies(proxies))
    await door.say(FORGED)
    assert door.requests[0].peer == peer
    assert door.requests[0].headers == {"host": "x"}


async def test_each_request_of_a_proxy_has_its_own_caller(opening: Opening) -> None:
    door = await opening(proxies=read_proxies("127.0.0.1/32"))
    caller = await door.connect()
    for said in (b"X-Forwarded-For: 203.0.113.7\r\n", b"", b"X-Forwarded-For: 203.0.113.8\r\n"):
        caller.send(GET[:-2] + said + b"\r\n")
        await caller.answer()
    assert [one.peer for one in door.requests] == ["203.0.113.7", "127.0.0.1", "203.0.113.8"]
    await caller.close()


async def test_nothing_is_left_of_connections_that_ended(door: Door) -> None:
    for _ in range(20):
        await door.say(GET)
    await asyncio.sleep(0.05)
    gc.collect()
    kinds = [type(thing).__name__ for thing in gc.get_objects()]
    assert door.server.connections == 0
    assert not kinds.count("Exchange")
    assert not kinds.count("Intake")


async def test_where_proxies_are_named_another_machine_is_let_go_before_it_says_a_word(opening: Opening) -> None:
    door = await opening(proxies=read_proxies("10.99.0.0/16"))
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port, local_addr=(elsewhere(), 0))
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert door.missed == ["peer_not_admitted"]
    assert not door.requests
    assert door.server.connections == 0
    assert (await door.say(GET)).endswith(b"GET /v1/models 0")
