from clavero.domain.requests import arrived_s
from clavero.entrypoints.request_ids import RequestIds
from clavero.testing.clock import LoadedDice, StoppedClock


def test_ids_differ_and_processes_do_not_share_a_prefix() -> None:
    dice, clock = LoadedDice(), StoppedClock()
    one, other = RequestIds(dice, clock), RequestIds(dice, clock)
    made = [one.new() for _ in range(1000)] + [other.new() for _ in range(1000)]
    assert len(set(made)) == 2000
    assert all(identity.startswith("req_") and len(identity) == 22 for identity in made)


def test_ids_of_a_process_lie_in_the_order_of_time_and_say_their_second() -> None:
    clock = StoppedClock()
    ids = RequestIds(LoadedDice(), clock)
    made = []
    for _ in range(5):
        made += [ids.new(), ids.new()]
        clock.advance(40)
    assert made == sorted(made)
    begun = clock.wall_ns() // 10**9 - 5 * 40
    assert [arrived_s(identity) for identity in made] == [begun + number // 2 * 40 for number in range(10)]
