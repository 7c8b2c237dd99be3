from clavero.simulator.house import House, SimulatorSettings


class Stopped:
    def wall_ns(self) -> int:
        return 1_999_999_999

    def monotonic_ns(self) -> int:
        return 0


def test_ids_are_fresh_and_plainly_simulated() -> None:
    house = House(SimulatorSettings(), Stopped())
    first, second = house.identity("chatcmpl-"), house.identity("chatcmpl-")
    assert first.startswith("chatcmpl-sim-")
    assert first != second


def test_time_is_handed_in() -> None:
    assert House(SimulatorSettings(), Stopped()).now() == 1


def test_a_beginning_is_known_from_its_second_time_on_until_too_many_came_after() -> None:
    house = House(SimulatorSettings(), Stopped())
    assert [house.seen(b"a"), house.seen(b"a"), house.seen(b"b")] == [False, True, False]
    for number in range(4_096):
        house.seen(b"%d" % number)
    assert not house.seen(b"a")
