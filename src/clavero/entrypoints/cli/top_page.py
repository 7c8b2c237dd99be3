"""How a look at everything stands on a terminal: a few lines above, then tables that shrink with it. Pure.

What is worst comes first: workers, then budgets near their end, providers, the busiest keys and services. A terminal
that is too low loses rows, then whole tables from the end, and says which.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from clavero.domain.units import format_ago, format_duration, format_size
from clavero.entrypoints.cli.options import dollars
from clavero.entrypoints.cli.show import Cell, Column, Row, Screen, bar, sign
from clavero.entrypoints.cli.speech import heading, language, speak
from clavero.entrypoints.cli.when import instant_ns, milliseconds

SORTS = ("calls", "failed", "cost", "slow", "name")
_OLD_MS = 5_000
_LATE_US = 100_000
_LAG_MS = (2_000, 10_000)
_SOON, _GONE = 0.8, 0.99
_FEWEST = 3  # rows that a table keeps while another one is still whole
_RIGHT = frozenset({"WORKER", "STATE", "PROVIDER", "BUDGET", "KEY", "SERVICE", "USE", "TIGHTEST", "NAME"})

Told = Mapping[str, Any]


class Table(Struct, frozen=True):
    """One table: what it is called where it has no room, its headings and rows."""

    name: str
    headings: Sequence[str]
    rows: Sequence[Row]


def sorted_by(sort: str, rows: Sequence[Told], name: str) -> list[Told]:
    """Rows of a kind by what is asked for; those that do not know it, by how much they do."""
    keys: dict[str, Callable[[Told], tuple[Any, ...]]] = {
        "calls": lambda one: (-one["rate"],),
        "failed": lambda one: (-(one["error_share"] or 0), -(one["refused_share"] or 0), -one["rate"]),
        "cost": lambda one: (-one.get("spent_today_nano_usd", 0), -one["rate"]),
        "slow": lambda one: (-(one.get("ours_p99_us") or one.get("p99_us") or 0), -one["rate"]),
        "name": lambda _: (),
    }
    return sorted(rows, key=lambda one: (*keys[sort](one), one[name]))


def head(told: Told) -> list[list[Cell | str]]:
    """What stands above the tables."""
    control = told["control"]
    per_minute = told["cost_nano_usd"] * 60 // max(1, told["seconds"])
    return [
        [speak("top_head", version=control["version"], up=format_duration(control["up_s"]), at=told["at"][11:19],
               seconds=told["seconds"])],
        [speak("top_flow", rate=f"{told['rate']:,.1f}", failed=_share(told["error_share"]),
               refused=_share(told["refused_share"]), cost=dollars(per_minute, 4))],
        [sign(_health(control)), " ", speak(
            "top_control", loop=milliseconds(control["loop_lag_us"]), lag=_age(control["ingest_lag_ms"]),
            unread=format_size(control["unread_bytes"]), holds=control["open_holds"])],
        ["  ", Cell(speak("top_disk", journal=format_size(control["journal_bytes"]), rejects=control["rejects"],
                         memory=format_size(control["memory_bytes"])), "bad" if control["rejects"] else "dim")],
    ]  # fmt: skip


def tables(told: Told, sort: str, now_ns: int) -> list[Table]:
    """Every table that has rows, the one that matters most first."""
    made = [
        Table("workers", _WORKERS, [_worker(one) for one in sorted_by("name", told["workers"], "worker")]),
        Table("budgets", _BUDGETS, [_budget(one, now_ns) for one in told["budgets"]]),
        Table("providers", _PROVIDERS, [_provider(one) for one in sorted_by(sort, told["providers"], "provider")]),
        Table("keys", ("KEY", *_BUSY), [_busy(one) for one in sorted_by(sort, told["keys"], "name")]),
        Table("services", ("SERVICE", *_BUSY), [_busy(one) for one in sorted_by(sort, told["services"], "name")]),
    ]
    if not told["workers"]:
        made[0] = Table("workers", ("WORKER",), [(Cell(f"✗ {speak('top_none')}", "bad"),)])
    return [one for one in made if one.rows]


def fitted(made: Sequence[Table], room: int) -> tuple[list[Table], list[str]]:
    """The tables with as many rows as the room has lines for, and the names of those that it has none for.

    A table takes a line above it, its headings and its rows.
    """
    kept: list[Table] = []
    left = room
    for table in made:
        if left < 3:
            break
        kept.append(table)
        left -= 2 + min(_FEWEST, len(table.rows), left - 2)
    shown = [min(_FEWEST, len(table.rows)) for table in kept]
    left = room - sum(shown) - 2 * len(kept)
    for place, table in enumerate(kept):
        more = max(-shown[place] + 1, min(len(table.rows) - shown[place], left))
        shown[place] += more
        left -= more
    cut = [Table(table.name, table.headings, table.rows[:count]) for table, count in zip(kept, shown, strict=True)]
    return cut, [table.name for table in made[len(kept) :]]


def drawn(
    lines: Sequence[Sequence[Cell | str]], made: Sequence[Table], like: Screen, height: int | None = None
) -> list[str]:
    """Lines and tables as text for a screen like this one; `height` None is no end."""
    room = None if height is None else height - len(lines) - 1
    shown, missing = (list(made), []) if room is None else fitted(made, room)
    paper = io.TextIOWrapper(io.BytesIO(), encoding=like.encoding, newline="\n")
    screen = Screen(paper, width=like.width, colour=like.colour)
    for line in lines:
        screen.line(*line)
    for table in shown:
        screen.line("")
        columns = [Column(heading(name), name not in _RIGHT) for name in table.headings]
        screen.table(columns, table.rows)
    if missing and (room is None or room > 0):
        screen.line(Cell(speak("top_more", names=", ".join(missing)), "dim"))
    paper.seek(0)
    return paper.read().split("\n")[:-1]


_WORKERS = (
    "WORKER", "STATE", "SEEN", "CALLS/S", "FAILED", "OPEN", "QUEUE", "OURS P99", "BEHIND", "TTFT P99", "LATE",
    "OURS P50", "TTFT P50", "STREAMS",
)  # fmt: skip
_PROVIDERS = ("PROVIDER", "CALLS/S", "FAILED", "P50", "P99", "FIRST")
_BUDGETS = ("BUDGET", "USE", "SPENT", "LIMIT", "LEFT", "RESETS", "HELD")
_BUSY = ("CALLS/S", "FAILED", "TODAY", "TIGHTEST")


def _worker(one: Told) -> Row:
    age, late = _age(one["heartbeat_age_ms"]), one["heartbeat_age_ms"] > _OLD_MS
    meaning = "bad" if one["state"] != "live" or late else _failing(one) or "ok"
    mark = sign(meaning).text
    return (
        Cell(f"{mark} {one['worker']}", meaning), one["state"], Cell(age, "bad" if late else ""),
        f"{one['rate']:,.1f}", Cell(_share(one["error_share"]), _failing(one)), _count(one["in_flight"]),
        Cell(_count(one["waiting"]), "warn" if one["waiting"] else ""), _time(one["ours_p99_us"]),
        Cell(_count(one["seq_lag"]), "warn" if one["seq_lag"] else ""), _time(one["first_token_p99_us"]),
        Cell(_time(one["loop_lag_us"]), "warn" if (one["loop_lag_us"] or 0) > _LATE_US else ""),
        _time(one["ours_p50_us"]), _time(one["first_token_p50_us"]), _count(one["streams"]),
    )  # fmt: skip


def _provider(one: Told) -> Row:
    meaning = _failing(one)
    return (
        Cell(f"{sign(meaning or 'ok').text} {one['provider']}", meaning or "ok"), f"{one['rate']:,.1f}",
        Cell(_share(one["error_share"]), meaning), _time(one["p50_us"]), _time(one["p99_us"]),
        _time(one["first_byte_p50_us"]),
    )  # fmt: skip


def _budget(one: Told, now_ns: int) -> Row:
    meaning = _pressing(one["used"])
    resets = format_ago(instant_ns(one["resets_at"]), now_ns, language()) if one["resets_at"] else "-"
    return (
        Cell(f"{sign(meaning or 'ok').text} {one['name']} {one['window']}", meaning or "ok"),
        Cell(f"{bar(one['used'])} {one['used']:4.0%}", meaning), dollars(one["spent_nano_usd"]),
        dollars(one["limit_nano_usd"]), dollars(one["left_nano_usd"]), resets, dollars(one["held_nano_usd"]),
    )  # fmt: skip


def _busy(one: Told) -> Row:
    tight = one["tightest"]
    meaning = _pressing(tight["used"]) if tight else ""
    mark = f"{sign(meaning).text} " if meaning else ""
    said = f"{mark}{tight['used']:.0%} {tight['name']} {tight['window']}" if tight else "-"
    return (
        one["name"], f"{one['rate']:,.1f}", Cell(_share(one["error_share"]), _failing(one)),
        dollars(one["spent_today_nano_usd"], 4), Cell(said, meaning),
    )  # fmt: skip


def _health(control: Told) -> str:
    lag = control["ingest_lag_ms"] or 0
    if control["rejects"] or lag > _LAG_MS[1]:
        return "bad"
    return "warn" if lag > _LAG_MS[0] or control["loop_lag_us"] > _LATE_US else "ok"


def _failing(one: Told) -> str:
    share = one["error_share"] or 0
    return "bad" if share >= 0.05 else "warn" if share >= 0.01 else ""


def _pressing(share: float) -> str:
    return "bad" if share >= _GONE else "warn" if share >= _SOON else ""


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _time(micros: int | None) -> str:
    return "-" if micros is None else milliseconds(micros)


def _age(milli: int | None) -> str:
    return "-" if milli is None else f"{milli / 1000:,.1f} s"
