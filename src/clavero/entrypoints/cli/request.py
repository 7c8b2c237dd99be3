"""`clavero request`: the newest exchanges."""

from typing import Any

from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import Cell, Row
from clavero.entrypoints.cli.usage import tokens_of
from clavero.entrypoints.cli.when import milliseconds, shown


def list_(  # noqa: PLR0913 - one parameter for each flag
    *,
    key: str = "",
    service: str = "",
    model: str = "",
    status: int | None = None,
    code: str = "",
    before: str = "",
    limit: int = 20,
    common: Common = COMMON,
) -> int:
    """List the newest requests; `clavero trace ID` shows one in full.

    Example: clavero request list --key prod-mail-01 --status 429

    Parameters
    ----------
    key
        Those of this key alone, by its name or public id.
    service
        Those of this service alone.
    model
        Those that asked for this model alone.
    status
        Those that were answered so alone.
    code
        Those that ended with this code alone.
    before
        Those before a moment, or the `next` of a page.
    limit
        How many, at most 500.
    """
    answer = common.api().get(
        "/requests", key=key, service=service, model=model, status=status, code=code, before=before, limit=limit
    )
    if common.json:
        return common.answer(answer)
    rows = [_row(one) for one in answer["requests"]]
    common.table("REQUEST STATUS MODEL TOKENS COST KEY TIME CODE TOTAL", rows, "clavero smoke")
    if answer["next"] and rows:
        common.tell(f"  clavero request list --before {answer['next']}")
    return 0


def status_cell(status: int) -> Cell:
    """A status in the colour of what it means."""
    return Cell(str(status), "ok" if status < 400 else "warn" if status < 500 else "bad")


def _row(one: dict[str, Any]) -> Row:
    return (
        one["request_id"], status_cell(one["status"]), one["model_asked"] or "-", f"{tokens_of(one):,}",
        dollars(one["cost_nano_usd"], 6), one["key"] or one["kid"], shown(one["at"]), one["code"] or "-",
        milliseconds(one["total_us"]),
    )  # fmt: skip
