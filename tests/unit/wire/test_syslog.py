import json

from clavero.domain.audit import AuditRow, link
from clavero.wire.syslog import counted, message

ROW = link(
    AuditRow(
        seq=7, at_ns=1_764_547_200_123_456_789, actor="asha", actor_kind="user", action="key.revoke",
        object_kind="key", object_id="prod-a-01", reason='said "now"\nand ñ',
    ),
    "0" * 64,
)  # fmt: skip


def test_a_row_is_one_line_with_all_that_it_says() -> None:
    head, body = message(ROW, "keeper-1").split(b" {", 1)
    assert head == b"<109>1 2025-12-01T00:00:00.123456Z keeper-1 clavero - audit -"
    told = json.loads(b"{" + body)
    assert (told["seq"], told["actor"], told["reason"], told["hash"]) == (7, "asha", 'said "now"\nand ñ', ROW.hash)
    assert b"\n" not in message(ROW, "keeper-1")


def test_a_host_cannot_add_a_field() -> None:
    assert message(ROW, "a b\nc").split(b" ")[2] == b"abc"
    assert message(ROW, "ñ").split(b" ")[2] == b"-"
    assert len(message(ROW, "x" * 999).split(b" ")[2]) == 255


def test_on_a_stream_the_length_comes_first_in_bytes() -> None:
    assert counted("ñ".encode()) == b"2 \xc3\xb1"
