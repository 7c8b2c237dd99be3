import csv
import io

import pytest

from clavero.entrypoints.cli.show import Screen
from clavero.entrypoints.cli.usage import tabled, tokens_of, write_csv

TOKENS = {"input": 70_000, "cached": 9_000, "cache_write": 0, "output": 100, "reasoning": 19}
LINE = {"calls": 1204, "errors": 3, "tokens": TOKENS, "cost_nano_usd": 4_201_300_000}
REPORT = {
    "by": ["service", "model"], "rows": [{"service": "support-chat", "model": "", **LINE}], "total": LINE,
    "ledger_nano_usd": 4_201_300_000, "equal": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def shown(report: dict[str, object]) -> list[str]:
    out = io.StringIO()
    Screen(out).table(*tabled(report))
    return out.getvalue().splitlines()


def test_every_kind_of_token_counts() -> None:
    assert tokens_of(LINE) == 79_119


def test_the_total_stands_beside_the_ledgers() -> None:
    lines = shown(REPORT)
    assert lines[0].split() == ["SERVICE", "MODEL", "CALLS", "ERRORS", "TOKENS", "COST"]
    assert lines[1].split() == ["support-chat", "-", "1,204", "3", "79,119", "$4.2013"]
    assert lines[2].split() == ["TOTAL", "1,204", "3", "79,119", "$4.2013", "=", "ledger"]


def test_a_ledger_that_says_something_else_is_named() -> None:
    assert shown({**REPORT, "equal": False, "ledger_nano_usd": 4_200_000_000})[-1].endswith("≠ ledger $4.2000")


def test_without_groups_there_is_the_total_alone() -> None:
    lines = shown({**REPORT, "by": [], "rows": [LINE]})
    assert len(lines) == 2
    assert lines[1].startswith("TOTAL")


def test_amounts_follow_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    assert "4.2013 USD" in shown(REPORT)[1]
    assert shown(REPORT)[0].startswith("SERVICIO")


def test_a_file_for_finance_has_the_period_in_every_row_and_amounts_to_the_last_digit() -> None:
    line = {**LINE, "service": 'a, "b"\n', "model": "=HYPERLINK(1)", "cost_nano_usd": 1, "estimated_nano_usd": 10**18}
    report = {**REPORT, "since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "rows": [line, line]}
    out = io.StringIO(newline="")
    write_csv(report, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert len(rows) == 2  # no total: a sum over the file is the total
    assert rows[0] == {
        "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z", "service": 'a, "b"\n',
        "model": "'=HYPERLINK(1)", "calls": "1204", "errors": "3", "input": "70000", "cached": "9000",
        "cache_write": "0", "output": "100", "reasoning": "19", "cost_usd": "0.000000001",
        "estimated_usd": "1000000000.000000000",
    }  # fmt: skip
