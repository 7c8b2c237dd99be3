import pytest

from clavero.domain.requests import arrived_s, may_come
from clavero.domain.tokens import base62

NOW_S = 1_800_000_000


def identity(second: int) -> str:
    return "req_" + base62(second, 6) + "0" * 12


@pytest.mark.parametrize("second", [0, 1, NOW_S, 62**6 - 1])
def test_an_id_says_the_second_of_its_arrival(second: int) -> None:
    assert arrived_s(identity(second)) == second


@pytest.mark.parametrize(
    "text", ["", "req_", "req_1", "req_" + "a" * 16, "req_" + "a" * 21, "req_" + "é" * 18, "x" + identity(1), "req_%"]
)
def test_what_is_no_id_of_a_request_has_no_time_and_never_comes(text: str) -> None:
    assert arrived_s(text) is None
    assert not may_come(text, NOW_S)


@pytest.mark.parametrize(("age", "may"), [(0, True), (3600, True), (3601, False), (-300, True), (-301, False)])
def test_a_record_comes_while_its_request_may_be_open(age: int, may: bool) -> None:
    assert may_come(identity(NOW_S - age), NOW_S) is may
