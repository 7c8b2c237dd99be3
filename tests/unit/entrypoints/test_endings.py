import json

import pytest

from clavero.control.reclaim import End, Ended
from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.entrypoints.endings import alarm, teller
from clavero.entrypoints.logs import Log


@pytest.mark.parametrize(
    ("end", "event", "level"),
    [
        (End.CLOSED, "boot_closed", "info"),
        (End.LOST, "worker_lost", "warning"),
        (End.INCOMPLETE, "worker_lost", "warning"),
    ],
)
def test_only_an_end_that_costs_something_is_a_warning(
    end: End, event: str, level: str, capfd: pytest.CaptureFixture[str]
) -> None:
    teller(Log("info", "ingest"))(Ended(BootId("a" * 32), end, "why"))
    told = json.loads(capfd.readouterr().err)
    assert (told["event"], told["level"], told["reason"]) == (event, level, "why")


def test_an_overrun_is_a_warning_with_both_figures(capfd: pytest.CaptureFixture[str]) -> None:
    alarm(Log("info", "control"))(Exchange("req_a", 1, provider="house", model_served="m", cost_n=9, held_n=5))
    told = json.loads(capfd.readouterr().err)
    assert (told["event"], told["level"], told["request_id"]) == ("overrun", "warning", "req_a")
    assert (told["held_nano_usd"], told["cost_nano_usd"]) == (5, 9)
