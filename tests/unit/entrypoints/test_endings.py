import json

import pytest

from clavero.control.reclaim import End, Ended
from clavero.control.recovery import Gap, Recovered
from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.entrypoints import endings
from clavero.entrypoints.endings import alarm, teller, told_again
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


def test_a_restore_is_told_with_each_gap_and_a_first_start_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log("info", "ingest")
    told_again(log, Recovered(1))
    assert capfd.readouterr().err == ""
    told_again(log, Recovered(2, 1, 0, 7, 0, (Gap(BootId("a" * 32), "segment 0 is gone"),)))
    gap, restored = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (gap["event"], gap["level"], gap["reason"]) == ("journal_gap", "warning", "segment 0 is gone")
    assert restored["event"] == "database_restored"


class Went:
    """A database that goes back at the third look, and is away at the second."""

    def __init__(self) -> None:
        self.looks = 0

    def is_same(self) -> bool:
        self.looks += 1
        if self.looks == 2:
            raise ConnectionError
        return self.looks < 3


async def test_who_sees_the_database_go_back_begins_anew(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(endings, "_LOOK_SECONDS", 0.001)
    ended: list[int] = []
    went = Went()
    await endings.watch_epoch(went, Log("info", "control"), ended.append)  # type: ignore[arg-type] # one method of it
    assert (ended, went.looks) == ([1], 3)
    assert json.loads(capfd.readouterr().err)["event"] == "database_went_back"
