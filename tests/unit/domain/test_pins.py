from clavero.domain.pins import Pin, pinned

MINUTE = 60_000_000_000
PIN = Pin("a.clavero", 10 * MINUTE, {"open": 3})


def test_of_an_open_boot_everything_from_where_the_backup_had_read_stays() -> None:
    assert [pinned([PIN], "open", number, 0) for number in (2, 3, 4)] == [False, True, True]


def test_of_another_boot_what_was_written_after_the_backup_stays() -> None:
    assert pinned([PIN], "later", 0, 11 * MINUTE)
    assert pinned([PIN], "later", 0, 9 * MINUTE)  # clocks may be apart
    assert not pinned([PIN], "ended before", 0, 8 * MINUTE)


def test_one_backup_is_enough_and_without_any_nothing_stays() -> None:
    assert pinned([Pin("b", 99 * MINUTE, {"open": 9}), PIN], "open", 3, 0)
    assert not pinned([], "open", 99, 99 * MINUTE)
