import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flow.entrypoints.cli.rig import Terminal
from tests.flow.entrypoints.http.admin.office import BOOT, Office

from clavero.domain.secret import Secret
from clavero.domain.usage import Exchange
from clavero.entrypoints.cli import follow as follow_module
from clavero.entrypoints.cli.client import Api, Place
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.follow import follow
from clavero.entrypoints.http import tail as tail_module
from clavero.wire.journal import Record


class Broken(Api):
    """A server that breaks off after each of these pieces, and notes where each visit wanted to begin."""

    def __init__(self, *pieces: list[str] | Failure) -> None:
        super().__init__(Place("http://127.0.0.1:1", Path("none"), Path("none")), Secret("none"))
        self.pieces = list(pieces)
        self.begun: list[str] = []

    def lines(self, path: str, last: str = "") -> Iterator[str]:
        self.begun.append(last)
        piece = self.pieces.pop(0)
        if isinstance(piece, Failure):
            raise piece
        yield from piece


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "_LONGEST_WAIT", 0.01)
    monkeypatch.setattr(tail_module, "TICK_S", 0.02)


def test_a_stream_that_breaks_is_opened_again_where_it_left_off() -> None:
    down = Failure("not_running", "nothing answers", "clavero up")
    end = Failure("forbidden", "no", "")
    api = Broken(["id: a-1", "", "event: request", 'data: {"n":1}', "", "id: a-2", ""], down, ["id: b-7", ""], end)
    breaks = 0

    def broke() -> None:
        nonlocal breaks
        breaks += 1

    coming = follow(lambda: api, "/requests/tail", {}, broke)
    assert next(coming).told == {"n": 1}
    with pytest.raises(Failure, match="no"):
        next(coming)
    assert api.begun == ["", "a-2", "a-2", "b-7"]
    assert breaks == 2  # once for each break, however often it is tried


def test_what_never_began_is_told_at_once() -> None:
    with pytest.raises(Failure, match="nothing answers"):
        next(follow(lambda: Broken(Failure("not_running", "nothing answers", "")), "/x", {}, lambda: None))


def test_an_end_that_the_server_means_is_no_break() -> None:
    api = Broken(["id: a-1", "event: over", 'data: {"code":"not_signed_in","message":"Sign in"}', ""])
    with pytest.raises(Failure) as ended:
        next(follow(lambda: api, "/x", {}, lambda: None))
    assert (ended.value.code, ended.value.message) == ("not_signed_in", "Sign in")


async def test_the_tail_shows_what_ends_and_honours_its_filters(terminal: Terminal) -> None:
    heard = asyncio.ensure_future(
        when_watched(
            terminal.office,
            Exchange("req_else", 7, service="chat", status=200),
            Exchange("req_mine", 7, service="mail", status=429, code="insufficient_quota"),
        )
    )
    done = await terminal.ok("request", "tail", "--service", "mail", "--limit", "1")
    await heard
    assert "req_mine" in done.out
    assert "insufficient_quota" in done.out
    assert "req_else" not in done.out


async def test_the_tail_gives_programs_one_object_a_line(terminal: Terminal) -> None:
    heard = asyncio.ensure_future(
        when_watched(terminal.office, *(Exchange(f"req_{number}", 7, status=200, model_asked="m") for number in "ab"))
    )
    done = await terminal.ok("request", "tail", "--limit", "2", "--json")
    await heard
    assert [json.loads(line)["request_id"] for line in done.out.splitlines()] == ["req_a", "req_b"]


async def when_watched(office: Office, *exchanges: Exchange) -> None:
    """Post as soon as somebody watches."""
    while not office.tail.watchers:  # noqa: ASYNC110 - a count, not an event: it is none of the product's business
        await asyncio.sleep(0.01)
    office.tail.heard(BOOT, [Record(exchange) for exchange in exchanges])


async def test_a_filter_that_names_nothing_is_refused_before_anything_is_followed(terminal: Terminal) -> None:
    done = await terminal.type("request", "tail", "--key", "nobody")
    assert done.code == 3
    assert "nobody" in done.err
