from clavero.domain.errors import KeyRevoked, Problem
from clavero.gateway.trail import Trail, UnderWay
from clavero.ports import Request


class Deaf:
    """A caller that hears nothing."""

    def reply(self, *_: object) -> None: ...
    def start(self, *_: object) -> None: ...
    def write(self, *_: object) -> None: ...
    def finish(self) -> None: ...
    def cut(self) -> None: ...
    def on_flow(self, *_: object) -> None: ...


def trail() -> Trail:
    return Trail(Request("req_1", "POST", "/v1/chat/completions", {}, b"{}", "127.0.0.1", 0, 0), Deaf())


def test_the_first_reason_to_stop_stands() -> None:
    one, heard = trail(), list[Problem]()
    one.interrupt = heard.append
    first = KeyRevoked()
    one.stop(first)
    one.stop(KeyRevoked())
    assert one.problem is first
    assert len(heard) == 2


def test_exchanges_are_found_by_key_only_once_it_is_known() -> None:
    under_way, one = UnderWay(), trail()
    under_way.add(one)
    assert under_way.of_key("x") == []
    assert len(under_way) == 1
    under_way.discard(one)
    assert list(under_way) == []
