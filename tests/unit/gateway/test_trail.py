from tests.unit.gateway.world import new_key, trail_of

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import KeyRevoked, Problem
from clavero.gateway.trail import UnderWay
from clavero.gateway.view import Grant
from clavero.wire.ask import Ask


def test_the_first_reason_to_stop_stands() -> None:
    one, heard = trail_of(), list[Problem]()
    one.interrupt = heard.append
    first = KeyRevoked()
    one.stop(first)
    one.stop(KeyRevoked())
    assert one.problem is first
    assert len(heard) == 2


def test_exchanges_are_found_by_key_only_once_it_is_known() -> None:
    under_way, one = UnderWay(), trail_of()
    under_way.add(one)
    assert under_way.of_key("x") == []
    assert len(under_way) == 1
    under_way.discard(one)
    assert list(under_way) == []


def test_a_key_s_exchanges_are_found_among_all() -> None:
    key, _ = new_key()
    under_way, mine, other = UnderWay(), trail_of(grant=Grant(key, "", "", ())), trail_of()
    under_way.add(mine)
    under_way.add(other)
    assert under_way.of_key(key.id) == [mine]
    assert set(under_way) == {mine, other}


def test_one_that_does_not_call_yet_keeps_the_reason_for_its_next_step() -> None:
    one, why = trail_of(), KeyRevoked()
    one.stop(why)
    assert one.problem is why


def test_what_was_asked_is_kept_no_longer_than_it_is_needed() -> None:
    one = trail_of()
    one.request.body = b'{"model":"m"}'
    one.ask = Ask(Endpoint.CHAT, "m", {"model": "m"}, True)
    one.let_go()
    assert one.request.body == b""
    assert one.ask.tree == {}
    assert one.ask.model == "m"
