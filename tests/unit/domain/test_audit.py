from collections.abc import Callable

import pytest
from msgspec.structs import replace

from clavero.domain.audit import BEGINNING, AuditRow, digest, first_bad, link
from clavero.domain.organisation import Team


def chain(length: int = 6) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for seq in range(1, length + 1):
        row = AuditRow(
            seq=seq,
            at_ns=2**60 + seq,
            actor="asha",
            actor_kind="user",
            action="key.revoke",
            object_kind="virtual_key",
            object_id=str(seq),
        )
        rows.append(link(row, rows[-1].hash if rows else BEGINNING))
    return rows


def test_an_untouched_chain_is_whole() -> None:
    assert first_bad(chain()) is None
    assert first_bad([]) is None


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda rows: [*rows[:2], replace(rows[2], actor="eve"), *rows[3:]], 3),
        (lambda rows: [*rows[:2], link(replace(rows[2], actor="eve"), rows[1].hash), *rows[3:]], 4),
        (lambda rows: [*rows[:2], *rows[3:]], 3),
        (lambda rows: [*rows[:1], *rows[4:]], 2),
        (lambda rows: [*rows[:2], rows[2], *rows[2:]], 4),
        (lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]], 3),
        (lambda rows: rows[1:], 1),
        (lambda rows: [*rows[:2], replace(rows[2], at_ns=rows[2].at_ns + 1), *rows[3:]], 3),
    ],
    ids=["edit", "edit with rehash", "delete", "delete a range", "duplicate", "swap", "cut head", "one nanosecond"],
)
def test_tampering_is_found_at_the_first_bad_row(
    tamper: Callable[[list[AuditRow]], list[AuditRow]], found: int
) -> None:
    assert first_bad(tamper(chain())) == found


def test_digests_tell_objects_apart() -> None:
    assert digest(None) == ""
    assert digest(Team(name="a")) != digest(Team(name="b"))
    assert digest(Team(name="a")) == digest(Team(name="a"))
