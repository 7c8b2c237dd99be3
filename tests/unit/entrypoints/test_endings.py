import json

import pytest

from clavero.control.reclaim import End, Ended
from clavero.domain.ledger import BootId
from clavero.entrypoints.endings import teller
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
