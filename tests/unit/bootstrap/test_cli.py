from clavero.bootstrap.cli import clock


def test_the_clock_is_the_machines() -> None:
    machine = clock()
    assert machine.wall_ns() > 1_700_000_000 * 10**9
    assert machine.monotonic_ns() <= machine.monotonic_ns()
