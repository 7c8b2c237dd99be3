import pytest

from clavero.adapters.upstreams.call import Call
from clavero.domain.calls import ConnectFailed, ConnectionLost
from clavero.ports.upstreams import Deadlines, Head


class Taken:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def head(self, head: Head) -> None:
        self.heard.append(head)

    def data(self, data: bytes) -> None:
        self.heard.append(data)

    def ended(self) -> None:
        self.heard.append("ended")

    def failed(self, error: Exception) -> None:
        self.heard.append(type(error))


class Carried:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def drop(self) -> None:
        self.told.append("drop")


def call(taken: Taken) -> Call:
    return Call(None, taken, Deadlines(), 100.0)


@pytest.mark.parametrize("first", ["finish", "fail", "abort"])
def test_it_ends_once_whatever_comes_after(first: str) -> None:
    taken = Taken()
    one = call(taken)
    if first == "finish":
        one.finish()
    elif first == "fail":
        one.fail(ConnectionLost())
    else:
        one.abort()
    heard = list(taken.heard)
    one.finish()
    one.fail(ConnectionLost())
    one.abort()
    assert taken.heard == heard
    assert len(heard) == (0 if first == "abort" else 1)


def test_a_handle_held_after_the_end_does_nothing_to_the_connection() -> None:
    carried, one = Carried(), call(Taken())
    one.carrier = carried
    one.finish()
    one.abort()
    one.pause()
    one.resume()
    assert carried.told == []


def test_pause_resume_and_abort_reach_the_connection() -> None:
    carried, one = Carried(), call(Taken())
    one.carrier = carried
    one.pause()
    one.resume()
    one.abort()
    assert carried.told == ["pause", "resume", "drop"]


def test_no_connection_in_time_is_a_failure_with_nothing_sent() -> None:
    taken = Taken()
    call(taken).expire(105.0)
    assert taken.heard == [ConnectFailed]
