"""`clavero usage`: what was used and what it cost, beside what the ledger says."""

import sys
from csv import writer
from decimal import Decimal
from typing import Any, TextIO

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import Cell, Column, Row
from clavero.entrypoints.cli.speech import heading, speak
from clavero.entrypoints.cli.when import shown

_FIGURES = ("CALLS", "ERRORS", "TOKENS", "COST")
_PERIOD = ("period_start", "period_end")
_COUNTS = ("calls", "errors")
TOKENS = ("input", "cached", "cache_write", "output", "reasoning")
_AMOUNTS = ("cost_usd", "estimated_usd")
_SHOWN, _MOST = 1_000, 100_000  # rows for people, and for a file


def usage(
    *, by: str = "service,model", since: str = "7d", until: str = "", csv: bool = False, common: Common = COMMON
) -> int:
    """Show calls, tokens and cost by any group, in whole UTC days or hours; the total equals the ledger's.

    Example: clavero usage --by team,key,day --since 2026-11-01 --until 2026-12-01 --csv > november.csv

    Parameters
    ----------
    by
        Groups with commas between: service, model, feature, key, owner, team, project, environment, provider,
        endpoint, day, status.
    since
        The first day: 7d, or 2026-11-01; the first hour: 36h, or 2026-11-01T14:00.
    until
        The day or hour after the last; now where it is left out.
    csv
        Every row as CSV, each with its period, amounts in USD to the last digit; no line for the total.
    """
    report = common.api().get("/usage", by=by, since=since, until=until, limit=_MOST if csv else _SHOWN)
    equal = bool(report["equal"])
    if csv:
        write_csv(report, sys.stdout)
        if report["more"]:
            common.note("rows_left", count=f"{_MOST:,}")
        return Exit.FAILED if report["more"] or not equal else Exit.DONE
    if common.json:
        common.answer(report)
        return Exit.DONE if equal else Exit.FAILED
    common.note("bounds", since=shown(report["since"]), until=shown(report["until"]))
    common.screen().table(*tabled(report))
    if report["more"]:
        common.note("rows_left", count=f"{_SHOWN:,}")
    if not equal:
        common.note("differs_fix")
    return Exit.DONE if equal else Exit.FAILED


def write_csv(report: dict[str, Any], out: TextIO) -> None:
    """RFC 4180: a line of names, then each row with the bounds of the report; amounts are exact decimals."""
    lines = writer(out)
    lines.writerow([*_PERIOD, *report["by"], *_COUNTS, *TOKENS, *_AMOUNTS])
    for line in report["rows"]:
        lines.writerow([
            report["since"], report["until"],
            *(_plain(str(line[group])) for group in report["by"]),
            *(line[name] for name in _COUNTS),
            *(line["tokens"][kind] for kind in TOKENS),
            *(f"{Decimal(line[name]).scaleb(-9):.9f}" for name in ("cost_nano_usd", "estimated_nano_usd")),
        ])  # fmt: skip


def _plain(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def tabled(report: dict[str, Any]) -> tuple[list[Column], list[Row]]:
    """The columns and rows of a report; its total is the last, beside what the ledger says."""
    groups = report["by"]
    columns = [Column(heading(group.upper())) for group in groups] or [Column("")]
    columns += [Column(heading(name), right=True) for name in _FIGURES]
    rows = [_row(line, groups) for line in report["rows"]] if groups else []
    return [*columns, Column("")], [*rows, _total(report, max(1, len(groups)))]


def tokens_of(line: dict[str, Any]) -> int:
    """Every token of a line, whatever its kind."""
    return sum(int(count) for count in line["tokens"].values())


def _row(line: dict[str, Any], groups: list[str]) -> Row:
    return (*(str(line[group] or "-") for group in groups), *_figures(line), "")


def _total(report: dict[str, Any], groups: int) -> Row:
    proof = (
        Cell(speak("equals"), "ok")
        if report["equal"]
        else Cell(speak("differs", ledger=dollars(report["ledger_nano_usd"], 4)), "bad")
    )
    return ("TOTAL", *[""] * (groups - 1), *_figures(report["total"]), proof)


def _figures(line: dict[str, Any]) -> tuple[str, ...]:
    return f"{line['calls']:,}", f"{line['errors']:,}", f"{tokens_of(line):,}", dollars(line["cost_nano_usd"], 4)
