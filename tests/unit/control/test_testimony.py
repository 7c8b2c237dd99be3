"""A file of rows and checkpoints, judged by itself."""

import os

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.domain.test_checkpoints import ROWS, SEEN, SIGNER

from clavero.control.testimony import BadTestimony, Preface, judge
from clavero.domain.checkpoints import Finding, Flaw
from clavero.vault.signing import Signer

STRANGER = Signer({1: os.urandom(32)}).public


def line(thing: object) -> bytes:
    fields = msgspec.to_builtins(thing)
    return msgspec.json.encode(fields | ({"at_ns": str(fields["at_ns"])} if "at_ns" in fields else {})) + b"\n"


def file(rows: list[object], row: int = 0) -> list[bytes]:
    return [line(one) for one in (Preface(signers=(SIGNER.public,), row=row), *rows)]


WHOLE = file([*ROWS, *SEEN])


def test_an_export_proves_itself() -> None:
    verdict = judge(WHOLE, SIGNER.public)
    assert (verdict.rows, verdict.signed, verdict.finding) == (10, 8, None)


@pytest.mark.parametrize(
    ("spoiled", "finding"),
    [
        ([*WHOLE[:5], line(replace(ROWS[4], actor="eve")), *WHOLE[6:]], Finding(5, Flaw.ROW)),
        (WHOLE[:5] + WHOLE[6:], Finding(5, Flaw.ROW)),
        (WHOLE[:6] + WHOLE[11:], Finding(6, Flaw.CUT)),
        (WHOLE[:11] + WHOLE[12:], Finding(5, Flaw.WITNESS)),
    ],
)
def test_what_was_changed_is_found(spoiled: list[bytes], finding: Finding) -> None:
    assert judge(spoiled).finding == finding


def test_with_a_key_nobody_else_is_believed() -> None:
    assert judge(WHOLE, STRANGER).finding == Finding(1, Flaw.SIGNATURE)
    with pytest.raises(BadTestimony, match="public key"):
        judge(WHOLE, "not a key")


def test_one_row_is_proved_with_the_checkpoint_that_names_it() -> None:
    verdict = judge(file([ROWS[5], SEEN[1]], row=6), SIGNER.public)
    assert (verdict.rows, verdict.signed, verdict.finding) == (1, 1, None)


@pytest.mark.parametrize(
    ("shown", "flaw"),
    [
        ([replace(ROWS[5], actor="eve"), SEEN[1]], Flaw.ROW),
        ([ROWS[4], SEEN[1]], Flaw.ROW),
        ([ROWS[5], SEEN[0]], Flaw.REWRITTEN),
        ([ROWS[5]], Flaw.REWRITTEN),
        ([ROWS[5], replace(SEEN[1], seq=9)], Flaw.SIGNATURE),
    ],
)
def test_a_row_that_is_not_what_was_signed_is_not_proved(shown: list[object], flaw: Flaw) -> None:
    finding = judge(file(shown, row=6)).finding
    assert finding is not None
    assert finding.flaw is flaw


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "first line"),
        ([b"{}\n"], "first line"),
        ([b"\xff\n"], "first line"),
        ([line(Preface(signers=(), clavero_audit=9))], "format 9"),
        ([WHOLE[0], b"no json\n"], "line 2"),
        ([WHOLE[0], b'{"seq":1}\n'], "line 2"),
        ([WHOLE[0], b"[]\n"], "line 2"),
    ],
)
def test_a_file_that_is_no_export_says_where(lines: list[bytes], told: str) -> None:
    with pytest.raises(BadTestimony, match=told):
        judge(lines)
