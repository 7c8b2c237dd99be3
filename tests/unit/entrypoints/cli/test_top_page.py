import io
from typing import Any

import pytest

from clavero.entrypoints.cli.show import Screen
from clavero.entrypoints.cli.top_page import SORTS, drawn, fitted, head, sorted_by, tables

NOW = 1_763_821_207_000_000_000


def flow(rate: float = 1.0, error: float | None = 0.0) -> dict[str, Any]:
    return {"rate": rate, "error_share": error, "refused_share": 0.0}


def worker(name: str, **known: Any) -> dict[str, Any]:
    said = {
        "worker": name, "boot": "b", "state": "live", "heartbeat_age_ms": 400, "seq_lag": 0, "in_flight": 3, "waiting": 0,
        "streams": 1, "loop_lag_us": 200, "ours_p50_us": 400, "ours_p99_us": 2_100, "first_token_p50_us": None,
        "first_token_p99_us": None, **flow(),
    }  # fmt: skip
    return {**said, **known}


def budget(name: str, used: float) -> dict[str, Any]:
    return {
        "id": f"team/{name}:day", "name": f"team/{name}", "window": "day", "used": used, "spent_nano_usd": 9_980_000_000,
        "held_nano_usd": 10_000_000, "limit_nano_usd": 10_000_000_000, "left_nano_usd": 10_000_000, "state": "open",
        "resets_at": "2026-11-23T00:00:00Z",
    }  # fmt: skip


def busy(name: str, rate: float, spent: int = 0, **known: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kid": "",
        "owner": "",
        "spent_today_nano_usd": spent,
        "tightest": None,
        **flow(rate),
        **known,
    }


def told(**known: Any) -> dict[str, Any]:
    said = {
        "at": "2026-11-22T14:20:07.000000Z", "seconds": 30, "cost_nano_usd": 10_000_000, **flow(42.7, 0.012),
        "control": {
            "version": "0.1.0", "url": "http://127.0.0.1:4142", "up_s": 7200, "loop_lag_us": 300, "memory_bytes": 1 << 26,
            "ingest_lag_ms": 210, "rejects": 0, "open_holds": 3, "unread_bytes": 0, "journal_bytes": 1 << 24, "watchers": 0,
        },
        "workers": [worker("gateway-1")], "budgets": [budget("support", 0.998)],
        "providers": [{"provider": "openai", "p50_us": 640_000, "p99_us": 2_900_000, "first_byte_p50_us": 310_000, **flow()}],
        "keys": [busy("prod-support-chat-01", 9.0)], "services": [busy("support-chat", 9.0)],
    }  # fmt: skip
    return {**said, **known}


def page(said: dict[str, Any], width: int | None = 80, height: int | None = None, colour: bool = False) -> list[str]:
    screen = Screen(io.StringIO(), width=width, colour=colour)
    return drawn(head(said), tables(said, "calls", NOW), screen, height)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")


def test_what_matters_at_three_in_the_morning_is_there() -> None:
    text = "\n".join(page(told(), None))
    for wanted in ("42.7 calls/s", "1.2% failed", "$0.0200 a minute", "✓ gateway-1", "team/support day", "100%", "✓ openai",
                   "prod-support-chat-01", "ingest 0.2 s late", "journal 16.0 MiB"):  # fmt: skip
        assert wanted in text, wanted


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_tables_fit_the_width_and_lose_columns_from_the_right(width: int) -> None:
    lines = page(told(), width)
    body = [line for line in lines[4:] if line]
    assert all(len(line) <= max(width, 30) for line in body)  # names stay whole
    assert any(line.startswith("✓ gateway-1") for line in body)
    assert ("OURS P99" in "\n".join(body)) is (width >= 80)


@pytest.mark.parametrize("height", [1, 3, 5, 8, 12, 20, 24])
def test_a_low_terminal_gets_no_more_lines_than_it_has_and_hears_what_is_missing(height: int) -> None:
    said = told(workers=[worker(f"gateway-{number}") for number in range(1, 9)])
    lines = page(said, 80, height)
    assert len(lines) <= max(height, 4)  # who it is and how it goes is always said
    if height in {8, 12}:
        assert "services" in lines[-1]


def test_workers_keep_their_rows_before_others_get_more_than_a_few() -> None:
    said = told(
        workers=[worker(f"g-{number}") for number in range(6)], budgets=[budget(f"t{n}", 0.5) for n in range(9)]
    )
    shown, missing = fitted(tables(said, "calls", NOW), 30)
    assert [(table.name, len(table.rows)) for table in shown[:2]] == [("workers", 6), ("budgets", 9)]
    assert missing == []
    shown, missing = fitted(tables(said, "calls", NOW), 12)
    assert [len(table.rows) for table in shown] == [5, 3]
    assert missing == ["providers", "keys", "services"]


def test_no_meaning_is_told_by_colour_alone() -> None:
    said = told(
        workers=[worker("gateway-1", heartbeat_age_ms=60_000), worker("gateway-2", error_share=0.02)],
        budgets=[budget("a", 0.999), budget("b", 0.85), budget("c", 0.1)],
        keys=[busy("prod-a-01", 1.0, tightest=budget("a", 0.999))],
    )
    plain, coloured = page(said, None), page(said, None, colour=True)
    text = "\n".join(plain)
    for wanted in ("✗ gateway-1", "! gateway-2", "✗ team/a day", "! team/b day", "✓ team/c day", "✗ 100% team/a day"):
        assert wanted in text, wanted
    assert "\x1b" not in text
    assert "\x1b[31m" in "\n".join(coloured)


def test_no_worker_and_nothing_going_on_are_said_in_words() -> None:
    said = told(workers=[], budgets=[], providers=[], keys=[], services=[], error_share=None, refused_share=None)
    text = "\n".join(page(said))
    assert "✗ no worker runs" in text
    assert "- failed" in text


def test_an_ingest_that_lags_or_refuses_is_told_by_its_sign() -> None:
    for lag, rejects, mark in ((210, 0, "✓"), (5_000, 0, "!"), (60_000, 0, "✗"), (210, 2, "✗")):
        control = {**told()["control"], "ingest_lag_ms": lag, "rejects": rejects}
        assert page(told(control=control))[2].startswith(f"{mark} control")


@pytest.mark.parametrize("sort", SORTS)
def test_rows_are_sorted_by_what_is_asked_for(sort: str) -> None:
    rows = [
        busy("b", 1.0, 50, error_share=0.5), busy("a", 9.0, 10, error_share=0.0),
        busy("c", 5.0, 90, error_share=0.1, ours_p99_us=70),
    ]  # fmt: skip
    first = {"calls": "a", "failed": "b", "cost": "c", "slow": "c", "name": "a"}[sort]
    assert sorted_by(sort, rows, "name")[0]["name"] == first


def test_names_from_elsewhere_move_no_cursor() -> None:
    lines = page(told(keys=[busy("evil\x1b[2J\n\r", 1.0)]), None)
    assert not any(letter in "".join(lines) for letter in "\x1b\r\n")
