import pytest
from tests.flow.entrypoints.cli.rig import Terminal

from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.options import Common
from clavero.entrypoints.cli.top import Look


async def test_what_is_shown_is_what_the_api_tells(terminal: Terminal) -> None:
    assert "✗ no worker runs" in (await terminal.ok("top")).out
    assert (await terminal.ok("top", "--json", "--seconds", "5")).json["seconds"] == 1


async def test_a_way_to_sort_that_there_is_not_is_refused(terminal: Terminal) -> None:
    done = await terminal.type("top", "--sort", "colour")
    assert done.code == 2
    assert "calls, failed, cost, slow, name" in done.err


class Api:
    """Answers, or does not."""

    def __init__(self) -> None:
        self.failure: Failure | None = None

    def get(self, _path: str, **_query: object) -> dict[str, object]:
        if self.failure:
            raise self.failure
        control = {
            "version": "1", "up_s": 5, "loop_lag_us": 0, "ingest_lag_ms": None, "rejects": 0, "open_holds": 0,
            "unread_bytes": 0, "journal_bytes": 0, "memory_bytes": 0,
        }  # fmt: skip
        flow = {"rate": 0.0, "error_share": None, "refused_share": None}
        lists: dict[str, list[object]] = {name: [] for name in ("workers", "providers", "keys", "services", "budgets")}
        return {"at": "2026-11-22T14:20:07Z", "seconds": 1, "cost_nano_usd": 0, "control": control, **flow, **lists}


def look(monkeypatch: pytest.MonkeyPatch, api: Api) -> Look:
    monkeypatch.setattr(Common, "api", lambda _self, _seconds: api)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    times = iter(range(0, 1_000_000_000_000, 4_000_000_000))
    return Look(Common(), "calls", 30, lambda: next(times))


def test_a_control_plane_that_is_away_leaves_what_was_known_and_says_how_old_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api()
    shown = look(monkeypatch, api)
    shown.ask()
    api.failure = Failure("not_running", "nothing answers", "clavero up")
    lines = shown.step(24, fresh=True)
    assert lines[0].startswith("✗ no answer for 4 s: nothing answers")
    assert "clavero 1" in lines[1]
    api.failure = None
    assert shown.step(24, fresh=True)[0].startswith("clavero 1")


def test_what_can_only_fail_again_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    shown = look(monkeypatch, api)
    api.failure = Failure("not_running", "nothing answers", "clavero up")
    with pytest.raises(Failure):
        shown.ask()  # it never went well
    api.failure = None
    shown.ask()
    api.failure = Failure("not_signed_in", "no", "")
    with pytest.raises(Failure):
        shown.step(24, fresh=True)


def test_sorting_goes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = look(monkeypatch, Api())
    shown.ask()
    for wanted in ("failed", "cost", "slow", "name", "calls"):
        shown.sort_next()
        assert f"s sorts: {wanted}" in shown.lines(24)[0]
