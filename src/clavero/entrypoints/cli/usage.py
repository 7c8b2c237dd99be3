"""`clavero usage`: what was used and what it cost, beside what the ledger says."""

from typing import Any

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import Cell, Column, Row
from clavero.entrypoints.cli.speech import heading, speak
from clavero.entrypoints.cli.when import shown

_FIGURES = ("CALLS", "ERRORS", "TOKENS", "COST")


def usage(*, by: str = "service,model", since: str = "7d", until: str = "", common: Common = COMMON) -> int:
    """Show calls, tokens and cost by any group, in whole UTC days; the total equals the ledger's.

    Example: clavero usage --by service,model,feature --since 7d

    Parameters
    ----------
    by
        Groups with commas between: service, model, feature, key, owner, team, project, environment, provider,
        endpoint, day, status.
    since
        The first day: 7d, or 2026-11-01.
    until
        The day after the last; now where it is left out.
    """
    report = common.api().get("/usage", by=by, since=since, until=until)
    equal = bool(report["equal"])
    if common.json:
        common.answer(report)
        return Exit.DONE if equal else Exit.FAILED
    common.note("bounds", since=shown(report["since"]), until=shown(report["until"]))
    common.screen().table(*tabled(report))
    if not equal:
        common.note("differs_fix")
    return Exit.DONE if equal else Exit.FAILED


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
