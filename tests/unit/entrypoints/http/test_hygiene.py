import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.errors import HeadTooLarge, InvalidHeader, MalformedRequest, MethodNotAllowed, Problem
from clavero.entrypoints.http.hygiene import (
    KNOWN,
    SINGLE,
    check_head,
    check_length,
    check_line,
    expects_continue,
    fold,
    in_words,
    malformed,
)


def test_names_are_folded_however_they_are_spelt() -> None:
    fields = [(b"Content-Type", b"a"), (b"X-API-KEY", b"b"), (b"X-oDd", b"c")]
    assert fold(fields, 100) == {"content-type": "a", "x-api-key": "b", "x-odd": "c"}


def test_the_table_of_spellings_folds_as_lower_does() -> None:
    assert all(spelt.decode().lower() == name for spelt, name in KNOWN.items())


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_what_has_one_meaning_is_given_once(name: str) -> None:
    with pytest.raises(InvalidHeader, match=f"Header {name} must be given once"):
        fold([(name.encode(), b"a"), (name.title().encode(), b"a")], 100)


def test_every_header_of_ours_is_given_once_and_is_ascii() -> None:
    for value in ([b"a", b"b"], [b"\xe9"]):
        with pytest.raises(InvalidHeader):
            fold([(b"X-Clavero-Anything", each) for each in value], 100)


def test_more_fields_than_the_limit_are_refused_even_if_they_are_the_same() -> None:
    fold([(b"a", b"b")] * 100, 100)
    with pytest.raises(HeadTooLarge, match="100 header fields"):
        fold([(b"a", b"b")] * 101, 100)


@given(st.lists(st.tuples(st.from_regex(rb"[A-Za-z-]{1,12}", fullmatch=True), st.binary(max_size=20)), max_size=120))
def test_any_fields_are_folded_or_refused_and_nothing_else(fields: list[tuple[bytes, bytes]]) -> None:
    try:
        headers = fold(fields, 100)
    except (InvalidHeader, HeadTooLarge):
        return
    assert set(headers) == {name.decode().lower() for name, _ in fields}


@pytest.mark.parametrize("target", [b"", b"*", b"http://x/", b"//x#y", b"x"])
def test_a_target_begins_with_a_slash_and_has_no_fragment(target: bytes) -> None:
    with pytest.raises(MalformedRequest):
        check_line(b"GET", target, "1.1")


def test_a_target_is_kept_as_it_came() -> None:
    assert check_line(b"GET", b"/a/../b//c?k=%2e", "1.1") == ("GET", "/a/../b//c?k=%2e")


def test_a_method_that_is_not_served_is_said_with_those_that_are_and_without_the_query() -> None:
    with pytest.raises(MethodNotAllowed, match=r"^/a takes GET, .*OPTIONS, not TRACE$"):
        check_line(b"TRACE", b"/a?key=secret", "1.1")


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
def test_only_http_1_is_spoken(version: str) -> None:
    with pytest.raises(MalformedRequest):
        check_line(b"GET", b"/", version)


@pytest.mark.parametrize("host", ["a", "a.b:1", "127.0.0.1:4141", "[::1]", "[::1]:4141", "my_service"])
def test_a_host_is_a_name_or_address(host: str) -> None:
    assert check_head({"host": host}, "1.1") is False


@pytest.mark.parametrize(
    "host", ["", " a", "a b", "a/b", "a?b", "a#b", "u@a", "a:b", "a:1:2", "[::1", "::1", "a:123456", "a,b", "a\tb"]
)
def test_anything_else_is_no_host(host: str) -> None:
    with pytest.raises(InvalidHeader):
        check_head({"host": host}, "1.1")


@pytest.mark.parametrize("coding", ["", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked\t"])
def test_a_body_comes_in_plain_chunks_or_not_in_chunks(coding: str) -> None:
    assert check_head({"host": "a", "transfer-encoding": "Chunked"}, "1.1") is True
    with pytest.raises(MalformedRequest):
        check_head({"host": "a", "transfer-encoding": coding}, "1.1")


def test_a_length_over_the_limit_is_refused_in_words() -> None:
    assert check_length({"content-length": "10485760"}, 10 << 20) == 10 << 20
    with pytest.raises(Problem, match="The body exceeds 10 MiB"):
        check_length({"content-length": "10485761"}, 10 << 20)


def test_an_expectation_is_met_refused_or_ignored_from_the_old() -> None:
    assert expects_continue({"expect": "100-Continue"}, "1.1")
    assert not expects_continue({"expect": "anything"}, "1.0")
    assert not expects_continue({}, "1.1")
    with pytest.raises(Problem, match="Expect 200-ok cannot be met"):
        expects_continue({"expect": "200-ok"}, "1.1")


def test_a_problem_below_the_parser_is_told_as_itself() -> None:
    problem = HeadTooLarge(max="1")
    error = ValueError("callback error")
    error.__context__ = problem
    assert malformed(error) is problem
    assert str(malformed(ValueError("x" * 500))) == f"The HTTP request is malformed: {'x' * 100}"


@pytest.mark.parametrize(("size", "words"), [(10 << 20, "10 MiB"), (32 << 10, "32 KiB"), (1000, "1000 bytes")])
def test_sizes_are_said_as_people_say_them(size: int, words: str) -> None:
    assert in_words(size) == words
