from tests.unit.gateway.world import PRICES, SIM, new_key, trail_of

from clavero.domain.routing import Target
from clavero.domain.usage import Attempt
from clavero.gateway.headers import headers
from clavero.gateway.view import Grant


def test_an_answer_says_what_an_operator_looks_for() -> None:
    key, _ = new_key()
    two = [Attempt("sim", "gpt-4o-mini", 0, 1, 500), Attempt("sim", "gpt-4o-mini", 1, 2, 200)]
    trail = trail_of(grant=Grant(key, "", "", ()), target=Target(SIM, "gpt-4o-mini", PRICES[0]), attempts=two)
    assert headers(trail, "application/json", 1_234, 1_234_567_890, 300) == [
        ("content-type", "application/json"),
        ("x-request-id", "req_1"),
        ("request-id", "req_1"),
        ("x-clavero-attempts", "2"),
        ("x-clavero-overhead-ms", "1.23"),
        ("x-clavero-key", "prod-app-chat-01"),
        ("x-clavero-model", "gpt-4o-mini"),
        ("x-clavero-provider", "sim"),
        ("x-clavero-cost", "1.234568"),
        ("x-clavero-output-cap", "300"),
    ]


def test_what_is_not_known_is_not_said() -> None:
    said = dict(headers(trail_of(), "text/event-stream", 0, None, 0))
    assert said.keys() == {"content-type", "x-request-id", "request-id", "x-clavero-attempts", "x-clavero-overhead-ms"}
    assert said["x-clavero-attempts"] == "1"


def test_thousands_of_dollars_are_one_number() -> None:
    assert dict(headers(trail_of(), "x", 0, 12_345 * 10**9, 0))["x-clavero-cost"] == "12345.000000"
