import asyncio
from collections.abc import Sequence

from clavero.adapters.ticker import LoopTicker
from clavero.domain.errors import Draining, Problem
from clavero.domain.forwarded import read_proxies
from clavero.entrypoints.http.edge import Edge, Inside, Limits
from clavero.ports.client import Client, Request
from clavero.testing.clock import StoppedClock


class Connected:
    def drain(self) -> None: ...

    def end(self) -> None: ...


def refuse(problem: Problem, request: Request | None) -> tuple[int, Sequence[tuple[str, str]], bytes]:
    if request is None:
        raise RuntimeError("no words")
    return 503, [], problem.code.encode()


async def handle(request: Request, client: Client) -> None: ...


def edge(clock: StoppedClock, loop: asyncio.AbstractEventLoop, per_address: int = 2) -> Edge:
    inside = Inside(
        handler=handle,
        refuse=refuse,
        new_id=lambda: "req_1",
        clock=clock,
        ticker=LoopTicker(clock),
        proxies=read_proxies("10.0.0.1/32"),
    )
    return Edge(inside, Limits(per_address=per_address), loop)


async def test_each_address_has_its_own_count_and_gives_back_what_it_took() -> None:
    shared = edge(StoppedClock(), asyncio.get_running_loop())
    three = [Connected() for _ in range(3)]
    assert [shared.enter(each, "10.1.1.1") for each in three] == [True, True, False]
    assert shared.enter(Connected(), "10.1.1.2")
    for each in three:
        shared.leave(each, "10.1.1.1")
    assert shared.enter(three[0], "10.1.1.1")
    assert shared.addresses == {"10.1.1.1": 1, "10.1.1.2": 1}


async def test_a_peer_that_speaks_for_others_has_no_cap() -> None:
    shared = edge(StoppedClock(), asyncio.get_running_loop(), per_address=1)
    assert all(shared.enter(Connected(), "10.0.0.1") for _ in range(5))


async def test_the_date_is_read_again_once_a_second() -> None:
    clock = StoppedClock(wall_ns=0)
    shared = edge(clock, asyncio.get_running_loop())
    assert shared.date == "Thu, 01 Jan 1970 00:00:00 GMT"
    clock.advance(1)
    shared.expire(5.0)
    assert (shared.date, shared.deadline) == ("Thu, 01 Jan 1970 00:00:01 GMT", 6.0)


async def test_a_refusal_without_words_is_reported_and_still_an_answer() -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    shared = edge(StoppedClock(), loop)
    assert shared.words(Draining(), Request("", "GET", "/", {}, b"", "", 0, 0))[0] == 503
    assert shared.words(Draining(), None) == (500, (), b"")
    assert told == ["a refusal could not be worded"]
