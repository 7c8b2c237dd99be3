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
