import asyncio
from typing import cast

from clavero.adapters.upstreams.egress import Origin
from clavero.adapters.upstreams.place import Place
from clavero.domain.credentials import Network


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Kept:
    def __init__(self, generation: int = 0) -> None:
        self.generation = generation
        self.transport: asyncio.Transport = Transport()


def place(most: int = 8) -> Place[Kept]:
    return Place(Origin(False, "a", 80), Network.PUBLIC, most)


def test_the_last_used_is_the_first_taken_and_closing_ones_are_passed_over() -> None:
    here, first, second, closing = place(), Kept(), Kept(), Kept()
    for kept in (first, second, closing):
        assert here.put(kept)
    closing.transport.close()
    assert here.take() is second
    assert here.take() is first
    assert here.take() is None


def test_no_more_are_kept_than_wanted() -> None:
    here = place(most=1)
    assert here.put(Kept())
    assert not here.put(Kept())


def test_what_was_connected_under_another_rule_is_not_used_again() -> None:
    here, idle, busy = place(), Kept(), Kept()
    here.put(idle)
    here.change(Network.PRIVATE)
    assert cast("Transport", idle.transport).closed
    assert here.take() is None
    assert not here.put(busy)
    assert here.put(Kept(here.generation))


def test_what_has_ended_is_forgotten_kept_or_not() -> None:
    here, kept = place(), Kept()
    here.put(kept)
    here.forget(kept)
    here.forget(kept)
    assert here.take() is None
