"""Eleven ways to tamper with a trail, each found at the first bad row."""

import os
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from clavero.domain.audit import BEGINNING, AuditRow, link
from clavero.domain.checkpoints import (
    Checkpoint,
    Finding,
    Flaw,
    Walk,
    bad_checkpoint,
    digest,
    signed_hashes,
    statement,
)
from clavero.vault.signing import Signer, Trusted

SIGNER = Signer({1: os.urandom(32)})
STRANGER = Signer({1: os.urandom(32)})
TRUSTED = Trusted(SIGNER.all)


def trail(count: int, after: Sequence[AuditRow] = (), actor: str = "asha") -> list[AuditRow]:
    """`after` and so many rows more, bound to each other."""
    rows = list(after)
    for seq in range(len(rows) + 1, count + 1):
        row = AuditRow(seq=seq, at_ns=10**18 + seq, actor=actor, actor_kind="user", action="a.b", object_kind="k",
                       object_id=str(seq))  # fmt: skip
        rows.append(link(row, rows[-1].hash if rows else BEGINNING))
    return rows


def signed(rows: Sequence[AuditRow], ends: Sequence[int], signer: Signer = SIGNER, epoch: int = 1) -> list[Checkpoint]:
    """Checkpoints at these rows."""
    made: list[Checkpoint] = []
    for start, end in pairwise((0, *ends)):
        one = Checkpoint(seq=end, at_ns=1, instance="i", epoch=epoch, signer=signer.public,
                         hashes=tuple(row.hash for row in rows[start:end]),
                         previous=digest(made[-1]) if made else BEGINNING)  # fmt: skip
        made.append(replace(one, signature=signer.sign(statement(one))))
    return made


def judge(
    rows: Sequence[AuditRow], checkpoints: Sequence[Checkpoint], restored: dict[int, int] | None = None
) -> Finding | None:
    bad = bad_checkpoint(checkpoints, TRUSTED)
    if bad is not None:
        return bad
    walk = Walk(signed_hashes(checkpoints, restored or {}))
    for start in range(0, len(rows), 3):  # pages
        if (found := walk.see(rows[start : start + 3])) is not None:
            return found
    return walk.end()


ROWS = trail(10)
SEEN = signed(ROWS, (4, 8))


def test_an_untouched_trail_has_no_finding() -> None:
    assert judge(ROWS, SEEN) is None
    assert judge(ROWS, []) is None
    assert judge([], []) is None


def edited(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:4], replace(rows[4], actor="eve"), *rows[5:]]


def edited_and_hashed(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:4], link(replace(rows[4], actor="eve"), rows[3].hash), *rows[5:]]


def without_one(rows: list[AuditRow]) -> list[AuditRow]:
    return rows[:4] + rows[5:]


def without_some(rows: list[AuditRow]) -> list[AuditRow]:
    return rows[:4] + rows[7:]


def with_one_more(rows: list[AuditRow]) -> list[AuditRow]:
    extra = link(replace(rows[4], actor="eve"), rows[3].hash)
    return [*rows[:4], extra, *rows[4:]]


def swapped(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:4], rows[5], rows[4], *rows[6:]]


def doubled(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:4], rows[3], *rows[4:]]


def cut(rows: list[AuditRow]) -> list[AuditRow]:
    return rows[:4]


def rolled_back_and_gone_on(rows: list[AuditRow]) -> list[AuditRow]:
    return trail(10, rows[:4], actor="eve")


def written_anew(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:4], *trail(10, [*rows[:4], link(replace(rows[4], actor="eve"), rows[3].hash)])[4:]]


@pytest.mark.parametrize(
    ("tamper", "row", "flaw"),
    [
        (edited, 5, Flaw.ROW),
        (edited_and_hashed, 5, Flaw.REWRITTEN),
        (without_one, 5, Flaw.ROW),
        (without_some, 5, Flaw.ROW),
        (with_one_more, 5, Flaw.REWRITTEN),
        (swapped, 5, Flaw.ROW),
        (doubled, 5, Flaw.ROW),
        (cut, 5, Flaw.CUT),
        (rolled_back_and_gone_on, 5, Flaw.REWRITTEN),
        (written_anew, 5, Flaw.REWRITTEN),
    ],
)
def test_tampering_is_found_at_the_first_bad_row(
    tamper: Callable[[list[AuditRow]], list[AuditRow]], row: int, flaw: Flaw
) -> None:
    assert judge(tamper(ROWS), SEEN) == Finding(row, flaw)


def test_a_trail_signed_by_somebody_else_is_not_believed() -> None:
    assert judge(ROWS, signed(ROWS, (4, 8), STRANGER)) == Finding(1, Flaw.SIGNATURE)
    forged = [SEEN[0], replace(SEEN[1], signature=STRANGER.sign(statement(SEEN[1])))]
    assert judge(ROWS, forged) == Finding(5, Flaw.SIGNATURE)
    assert judge(ROWS, [replace(SEEN[0], signature="no hex")]) == Finding(1, Flaw.SIGNATURE)


def test_a_fork_is_found_even_where_it_was_signed_by_us() -> None:
    other = trail(10, ROWS[:4], actor="eve")
    both = [*SEEN, *signed(other, (4, 9))[1:]]
    assert judge(other, both) is not None


@pytest.mark.parametrize("spoiled", [[SEEN[1]], [SEEN[1], SEEN[0]], [SEEN[0], SEEN[0]], [SEEN[0], SEEN[1], SEEN[1]]])
def test_checkpoints_that_are_missing_or_moved_are_found(spoiled: list[Checkpoint]) -> None:
    found = judge(ROWS, spoiled)
    assert found is not None
    assert found.flaw is Flaw.WITNESS


def test_rows_that_no_checkpoint_has_seen_yet_are_judged_by_the_chain_alone() -> None:
    assert judge(edited(trail(10)), signed(ROWS, (4,))) == Finding(5, Flaw.ROW)


def test_what_a_restore_replaced_is_no_finding_where_the_trail_tells_of_it() -> None:
    """Rows 7 and 8 were signed, the database was put back to row 6, and row 7 says so."""
    put_back = trail(9, ROWS[:6], actor="operator")
    assert judge(put_back, SEEN) == Finding(7, Flaw.REWRITTEN)
    assert judge(put_back, SEEN, {2: 7}) is None
    lied = [*put_back[:2], replace(put_back[2], actor="eve"), *put_back[3:]]
    assert judge(lied, SEEN, {2: 7}) == Finding(3, Flaw.ROW)


def test_what_was_signed_since_a_restore_counts_in_full() -> None:
    put_back = trail(9, ROWS[:6], actor="operator")
    since = Checkpoint(seq=9, at_ns=2, instance="i", epoch=2, signer=SIGNER.public, previous=digest(SEEN[-1]),
                       hashes=tuple(row.hash for row in put_back[6:]))  # fmt: skip
    seen = [*SEEN, replace(since, signature=SIGNER.sign(statement(since)))]
    assert judge(put_back, seen, {2: 7}) is None
    assert judge(put_back[:8], seen, {2: 7}) == Finding(9, Flaw.CUT)
