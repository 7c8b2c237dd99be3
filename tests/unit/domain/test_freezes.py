from clavero.domain.freezes import Freeze, holding, not_over


def window(begin: int, end: int) -> Freeze:
    return Freeze(from_ns=begin, until_ns=end, reason="launch")


def test_a_window_holds_from_its_first_instant_to_before_its_last() -> None:
    one = window(5, 7)
    assert [holding((one,), now) for now in (4, 5, 6, 7)] == [None, one, one, None]


def test_of_several_that_hold_the_one_that_ends_last_is_told() -> None:
    short, long = window(1, 5), window(2, 9)
    assert holding((short, long), 3) is long
    assert holding((long, short), 3) is long


def test_what_is_over_is_left_out_and_the_rest_is_in_order() -> None:
    assert not_over((window(8, 9), window(1, 5), window(0, 2)), 2) == (window(1, 5), window(8, 9))
