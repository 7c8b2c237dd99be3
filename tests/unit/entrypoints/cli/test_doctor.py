import pytest

from clavero.entrypoints.cli.doctor import ingest_checks, providers_checks, workers_checks


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def worker(age: int, state: str = "live") -> dict[str, object]:
    return {"worker": "gateway-1", "state": state, "heartbeat_age_ms": age}


@pytest.mark.parametrize(
    ("workers", "meanings"),
    [
        ([], ["bad"]),
        ([worker(40)], ["ok"]),
        ([worker(9_000)], ["bad"]),
        ([worker(9, "closed")], ["bad"]),
        ([worker(9), worker(8), worker(1, "lost")], ["ok", "ok"]),
    ],
)
def test_each_live_worker_was_heard_of_lately_and_there_is_one(
    workers: list[dict[str, object]], meanings: list[str]
) -> None:
    assert [one.meaning for one in workers_checks({"workers": workers})] == meanings


@pytest.mark.parametrize(
    ("lag", "rejects", "meanings"), [(None, 0, ["ok"]), (40, 0, ["ok"]), (60_000, 0, ["warn"]), (40, 2, ["ok", "bad"])]
)
def test_records_that_come_late_or_not_at_all_are_told(lag: int | None, rejects: int, meanings: list[str]) -> None:
    assert [one.meaning for one in ingest_checks({"ingest_lag_ms": lag, "rejects": rejects})] == meanings


def test_a_provider_in_use_needs_a_credential() -> None:
    with_one = {"name": "a", "enabled": True, "credentials": [{"last_four": "Pz1k"}]}
    without = {"name": "b", "enabled": True, "credentials": []}
    disabled = {"name": "c", "enabled": False, "credentials": []}
    found = providers_checks([with_one, without, disabled])
    assert [one.meaning for one in found] == ["ok", "bad"]
    assert found[1].fix == "clavero credential add b --from env:NAME"
    assert providers_checks([])[0].meaning == "warn"
