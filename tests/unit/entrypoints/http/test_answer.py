import pytest

from clavero.entrypoints.http.answer import framing, head, http_date

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_head_is_status_date_fields_and_framing() -> None:
    assert head(200, [("x-a", "b")], DATE, framing(3, keep=True)) == (
        b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-a: b\r\ncontent-length: 3\r\n\r\n"
    )


def test_a_status_without_a_name_is_written_all_the_same() -> None:
    assert head(529, [], DATE, "").startswith(b"HTTP/1.1 529 \r\n")


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb", "a\0b", "café", "a\r\n\r\n<html>"])
def test_no_value_begins_a_line_of_its_own_or_leaves_ascii(value: str) -> None:
    lines = head(200, [("x-a", value), ("x-b", "c")], DATE, framing(0, keep=True)).split(b"\r\n")
    assert len(lines) == 7
    assert lines[3] == b"x-b: c"
    assert all(32 <= byte < 127 for byte in lines[2])


@pytest.mark.parametrize(
    ("length", "keep", "lines"),
    [
        (0, True, "content-length: 0\r\n"),
        (7, False, "content-length: 7\r\nconnection: close\r\n"),
        (-1, True, "transfer-encoding: chunked\r\n"),
        (-2, False, "connection: close\r\n"),
        (-2, True, ""),
    ],
)
def test_the_framing_says_where_the_body_ends(length: int, keep: bool, lines: str) -> None:
    assert framing(length, keep=keep) == lines


def test_a_date_is_that_of_the_rfc() -> None:
    assert http_date(784_111_777 * 10**9 + 999) == DATE
