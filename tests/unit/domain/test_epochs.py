from msgspec.structs import replace

from clavero.domain.epochs import Look, Mark, Standing, standing

MARK = Mark("db", 1, 10, "aa", 500)


def look(found: Mark, kept: Mark | None, then: str = "aa") -> Standing:
    return standing(Look(found, kept, then))


def test_a_database_that_went_on_is_the_same() -> None:
    assert look(MARK, MARK) is Standing.SAME
    assert look(replace(MARK, audit_seq=12, audit_hash="bb", consumed=900), MARK) is Standing.SAME


def test_less_audit_or_less_journal_than_before_is_a_copy_from_before() -> None:
    assert look(replace(MARK, audit_seq=9), MARK) is Standing.BACK
    assert look(replace(MARK, consumed=499), MARK) is Standing.BACK


def test_another_history_is_a_copy_that_went_on_by_itself() -> None:
    assert look(replace(MARK, audit_seq=20, consumed=9000), MARK, then="cc") is Standing.BACK
    assert look(replace(MARK, audit_seq=20, consumed=9000), MARK, then="") is Standing.BACK


def test_a_database_without_any_audit_yet_has_no_history_to_compare() -> None:
    empty = Mark("db", 1, 0, "0" * 64, 0)
    assert look(MARK, empty, then="") is Standing.SAME


def test_a_later_epoch_another_database_or_nothing_kept_means_that_journals_are_unread() -> None:
    assert look(replace(MARK, epoch=2), MARK) is Standing.NEW
    assert look(replace(MARK, instance="other"), MARK) is Standing.NEW
    assert look(MARK, None) is Standing.NEW


def test_an_earlier_epoch_is_a_copy_from_before_the_last_restore() -> None:
    assert look(replace(MARK, audit_seq=50, consumed=9000), replace(MARK, epoch=2)) is Standing.BACK
