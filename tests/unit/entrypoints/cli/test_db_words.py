import pytest

from clavero.entrypoints.cli import db_words
from clavero.entrypoints.cli.db_words import Progress
from clavero.entrypoints.cli.options import Common
from clavero.testing.clock import StoppedClock


def test_long_work_is_told_every_two_seconds_and_short_work_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = StoppedClock()
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(db_words, "clock", lambda: clock)
    told = Progress(Common())
    for step in range(50):
        told("usage" if step else "copy", step * 1000)
        clock.advance(0.1)
    assert capsys.readouterr().err.splitlines() == ["usage: 20,000 rows", "usage: 40,000 rows"]
