from clavero.entrypoints.request_ids import RequestIds
from clavero.testing.clock import LoadedDice


def test_ids_differ_and_processes_do_not_share_a_prefix() -> None:
    dice = LoadedDice()
    one, other = RequestIds(dice), RequestIds(dice)
    made = [one.new() for _ in range(1000)] + [other.new() for _ in range(1000)]
    assert len(set(made)) == 2000
    assert all(identity.startswith("req_") and len(identity) == 20 for identity in made)
