from pathlib import Path

import pytest
from tests.pairs import make

from clavero.entrypoints.cli.doctor import (
    files_checks,
    ingest_checks,
    owners_check,
    providers_checks,
    tiers_check,
    tls_checks,
    vault_check,
    workers_checks,
)


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


@pytest.mark.parametrize(
    ("more", "meaning", "says"),
    [
        ({}, "ok", "root key rk_8b43"),
        ({"stuck": "the disk is full"}, "warn", "the disk is full"),
        ({"check": "The vault does not open"}, "bad", "does not open"),
    ],
    ids=["well", "stuck", "closed"],
)
def test_a_vault_that_does_not_open_or_move_on_is_told(more: dict[str, str], meaning: str, says: str) -> None:
    told = {"check": "ok", "stuck": "", "root_key": "rk_8b43", "root_key_since": "2026-11-22T23:11:00Z", "seal": "file"}
    found = vault_check(told | more)
    assert (found.meaning, says in found.text, bool(found.fix)) == (meaning, True, meaning != "ok")


def test_a_provider_in_use_needs_a_credential() -> None:
    with_one = {"name": "a", "enabled": True, "credentials": [{"last_four": "Pz1k"}]}
    without = {"name": "b", "enabled": True, "credentials": []}
    disabled = {"name": "c", "enabled": False, "credentials": []}
    found = providers_checks([with_one, without, disabled])
    assert [one.meaning for one in found] == ["ok", "bad"]
    assert found[1].fix == "clavero credential add b --from env:NAME"
    assert providers_checks([])[0].meaning == "warn"


@pytest.mark.parametrize(
    ("days", "problem", "meanings"),
    [(80, "", ["ok"]), (5, "", ["warn"]), (-1, "", ["bad"]), (80, "no PEM", ["ok", "warn"])],
)
def test_a_certificate_that_ends_or_was_not_reloaded_is_told(days: int, problem: str, meanings: list[str]) -> None:
    told = {"names": ["llm.example.com"], "days_left": days, "problem": problem, "supervisor": 7}
    found = tls_checks({"tls": told})
    assert [one.meaning for one in found] == meanings
    assert all("kill -HUP 7" in one.fix for one in found if one.meaning != "ok")
    assert tls_checks({"tls": None}) == []


def test_where_nothing_runs_the_files_of_the_next_start_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files_checks(None) == []
    made = make(tmp_path / "pair")
    (tmp_path / "clavero.toml").write_text(f'[tls]\ncert = "{made.cert}"\nkey = "{made.key}"\n')
    assert [one.meaning for one in files_checks(None)] == ["ok"]
    make(tmp_path / "pair", days=(-9, -3))
    assert [one.meaning for one in files_checks(None)] == ["warn"]
    made.key.chmod(0o644)
    (found,) = files_checks(tmp_path)
    assert (found.meaning, found.fix) == ("bad", f"chmod o= {made.key}")


@pytest.mark.parametrize(("keys", "late", "meaning"), [(0, 0, "ok"), (3, 0, "warn"), (3, 1, "bad")])
def test_keys_of_members_who_left_are_a_warning_and_overdue_ones_a_failure(keys: int, late: int, meaning: str) -> None:
    due = "2026-12-07T19:46:00Z" if keys else None
    found = owners_check({"keys_under_transfer": keys, "keys_overdue": late, "transfer_due_at": due})
    assert found.meaning == meaning
    assert bool(found.fix) == (meaning != "ok")


def test_keys_that_break_their_tier_are_a_warning() -> None:
    assert tiers_check({"total": 0, "drift": []}).meaning == "ok"
    assert tiers_check({"total": 2, "drift": []}).fix == "clavero env drift"
