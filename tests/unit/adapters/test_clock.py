from clavero.adapters.clock import SystemClock, SystemDice


def test_durations_never_go_back() -> None:
    clock = SystemClock()
    first = clock.monotonic_ns()
    assert clock.monotonic_ns() >= first
    assert clock.wall_ns() > 1_700_000_000 * 10**9


def test_chance_keeps_its_bounds_and_tokens_differ() -> None:
    dice = SystemDice()
    assert all(1.0 <= dice.uniform(1.0, 2.0) <= 2.0 for _ in range(100))
    assert len(dice.token(32)) == 32
    assert dice.token(32) != dice.token(32)
