import pytest

from clavero.testing.clock import LoadedDice, StoppedClock


def test_time_stands_until_it_is_moved_and_both_clocks_go_together() -> None:
    clock = StoppedClock(wall_ns=100, monotonic_ns=7)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (100, 7)
    clock.advance(1.5)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (1_500_000_100, 1_500_000_007)


def test_the_wall_clock_may_be_stepped_alone_and_durations_never_go_back() -> None:
    clock = StoppedClock(monotonic_ns=7)
    clock.set_wall(5)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (5, 7)
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


def test_dice_fall_as_told_and_start_again() -> None:
    dice = LoadedDice((0.0, 1.0))
    assert [dice.uniform(2, 4) for _ in range(3)] == [2, 4, 2]


@pytest.mark.parametrize("shares", [(), (1.1,), (-0.1,)])
def test_dice_cannot_fall_outside_their_bounds(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        LoadedDice(shares)


def test_tokens_have_the_size_asked_and_never_repeat() -> None:
    dice = LoadedDice()
    tokens = {dice.token(16) for _ in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {16}
