import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.errors import HeadTooLarge, MalformedRequest, Problem
from clavero.entrypoints.http.edge import Limits
from clavero.entrypoints.http.intake import Intake
from clavero.ports.client import Request

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def feed(intake: Intake, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        intake.feed(data[start : start + size])


def taken(intake: Intake) -> Request:
    request = intake.take("req_1", "peer", 1, 2)
    intake.reset()
    return request


@given(st.lists(st.integers(1, len(POST)), max_size=8))
def test_a_request_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    intake = Intake(Limits())
    edges = [0, *sorted(set(cuts)), len(POST)]
    for start, end in itertools.pairwise(edges):
        intake.feed(POST[start:end])
    assert intake.whole
    assert taken(intake) == Request("req_1", "POST", "/a", {"host": "x", "content-length": "3"}, b"abc", "peer", 1, 2)


def test_one_request_after_the_other_leaves_nothing_behind() -> None:
    intake = Intake(Limits())
    for data, body in ((POST, b"abc"), (GET, b""), (POST, b"abc")):
        intake.feed(data)
        assert taken(intake).body == body
        assert not intake.whole
        assert not intake.headed


@pytest.mark.parametrize("more", [b"GET /evil HTTP/1.1\r\nHost: y\r\n\r\n", b"GET /evil HTTP/1.1\r\n\r\n", b"GET /e"])
def test_what_follows_a_whole_request_is_thrown_away_and_nothing_is_kept(more: bytes) -> None:
    intake = Intake(Limits())
    intake.feed(GET + more)
    assert intake.whole
    assert not intake.keep
    assert taken(intake).path == "/"


def test_head_bytes_are_counted_before_they_are_fed_over_any_number_of_reads() -> None:
    intake = Intake(Limits(head_bytes=200))
    intake.feed(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
    with pytest.raises(HeadTooLarge):
        feed(intake, b"b" * 200, 1)


def test_a_body_in_the_heads_own_read_does_not_count_as_head() -> None:
    intake = Intake(Limits(head_bytes=200))
    intake.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
    assert intake.whole
    assert len(taken(intake).body) == 5000


@pytest.mark.parametrize("size", [1, 1000])
def test_many_chunk_extensions_are_refused_however_they_are_read(size: int) -> None:
    intake = Intake(Limits())
    data = CHUNKED + b"1;ext=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n" * 200
    with pytest.raises(MalformedRequest, match="extensions"):
        feed(intake, data, size)


def test_chunks_of_a_usual_size_are_taken() -> None:
    intake = Intake(Limits())
    intake.feed(CHUNKED + b"400\r\n" + b"x" * 1024 + b"\r\n")
    for _ in range(100):
        intake.feed(b"10\r\n" + b"x" * 16 + b"\r\n")
    intake.feed(b"0\r\n\r\n")
    assert len(taken(intake).body) == 2624


def test_a_refused_request_is_known_as_far_as_it_came() -> None:
    intake = Intake(Limits())
    assert intake.known("req_1", "peer", 1, 2) is None
    with pytest.raises(Problem):
        intake.feed(b"GET /a HTTP/1.1\r\nx-a: b\r\n\r\n")
    known = intake.known("req_1", "peer", 1, 2)
    assert known is not None
    assert (known.path, known.headers) == ("/a", {"x-a": "b"})


def test_a_closed_one_takes_nothing() -> None:
    intake = Intake(Limits())
    intake.close()
    intake.feed(GET)
    assert not intake.whole


@given(st.binary(max_size=400))
def test_rubbish_is_refused_or_waited_for_and_nothing_else(data: bytes) -> None:
    intake = Intake(Limits(head_bytes=256))
    try:
        intake.feed(data)
        intake.feed(b"\r\n\r\n" + data)
    except Problem:
        return
    assert intake.whole or intake.size == 0 or intake.headed
