"""Every row of the old table is in the new ones, once, whole, and in the sums."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, Base, empty, fill_old

from clavero.adapters.storage.migrate import Migrations, Progress
from clavero.adapters.storage.usage_queries import WHOLE

DAY_NS = 86_400 * 10**9
MONDAY = 20_500
_FLAGS = ("streamed", "estimated", "final")


@pytest.fixture(params=KINDS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    made = empty(request.param, tmp_path, url)
    with made.engine.begin() as connection:
        fill_old(connection, made.dialect, 1)
    return made


def add(base: Base, count: int) -> None:
    """Rows of the old shape on three days, some without a budget, some legs, some of models that nobody has."""
    with base.engine.begin() as connection:
        kept = dict(connection.execute(text("SELECT * FROM usage")).mappings().first() or {})
        names = ", ".join(kept)
        values = ", ".join(f":{name}" for name in kept)
        rows = [
            {
                **kept,
                **{name: bool(kept[name]) for name in _FLAGS},
                "hold_id": f"req_{number:05d}.1",
                "request_id": f"req_{number:05d}",
                "at_ns": (MONDAY + number % 3) * DAY_NS + number * 10**12,
                "day": MONDAY + number % 3 + (number * 10**12) // DAY_NS,
                "model_asked": f"asked{number}",
                "model_served": "m" if number % 4 else "",
                "final": number % 5 > 0,
                "estimated": number % 7 == 0,
                "cost_n": number,
                "amounts": msgspec.json.encode([["key/k:day", 0, number], ["team/t:month", 1, number]]).decode()
                if number % 2
                else "[]",
            }
            for number in range(count)
        ]
        statement = f"INSERT INTO usage ({names}) VALUES ({values})"
        connection.execute(text(statement), rows)


def rows_of(base: Base, query: str) -> list[dict[str, Any]]:
    with base.engine.begin() as connection:
        found = [dict(row) for row in connection.execute(text(query)).mappings()]
    return [{name: bool(value) if name in _FLAGS else value for name, value in row.items()} for row in found]


def by_hold(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["hold_id"]: row for row in rows}


@pytest.mark.parametrize("stop", [0, 1, 2, 3, 99])
def test_every_row_is_moved_once_however_often_it_is_stopped(
    base: Base, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(base, 50)
    before = by_hold(rows_of(base, "SELECT * FROM usage"))
    migrations = Migrations()
    monkeypatch.setattr(migrations._modules[3], "SIZE", 20)
    left = stop

    def stopping(progress: Progress) -> None:
        nonlocal left
        left -= 1
        if progress.rows and left < 0:
            left = 99
            raise KeyboardInterrupt

    if stop < 99:
        with pytest.raises(KeyboardInterrupt):
            migrations.run(base.engine, base.dialect, stopping)
    migrations.run(base.engine, base.dialect, lambda _: None)
    assert by_hold(rows_of(base, WHOLE)) == before
    assert "usage_before" not in base.tables()


def test_roll_ups_say_what_the_rows_say(base: Base) -> None:
    add(base, 30)
    rows = rows_of(base, "SELECT * FROM usage")
    Migrations().run(base.engine, base.dialect, lambda _: None)
    for table, unit in (("usage_day", DAY_NS), ("usage_hour", DAY_NS // 24), ("usage_minute", DAY_NS // 1440)):
        column = table.removeprefix("usage_")
        query = f"SELECT {column} AS unit, sum(cost_n) AS cost_n, sum(calls) AS calls FROM {table} GROUP BY 1"
        cost, calls = Counter[int](), Counter[int]()
        for row in rows:
            cost[row["at_ns"] // unit] += row["cost_n"]
            calls[row["at_ns"] // unit] += row["final"]
        found = rows_of(base, query)
        assert {row["unit"]: (row["cost_n"], row["calls"]) for row in found} == {
            unit: (cost[unit], calls[unit]) for unit in cost
        }
    charged = Counter[tuple[str, int, int]]()
    for row in rows:
        for budget, period, charge in msgspec.json.decode(row["amounts"]):
            charged[budget, period, row["day"]] += charge
    found = rows_of(base, "SELECT * FROM usage_charge")
    assert {(row["budget_id"], row["period_start"], row["day"]): row["charged_n"] for row in found} == charged
    used = Counter[str]()
    for row in rows:
        used[row["key_id"]] = max(used[row["key_id"]], row["at_ns"])
    found = rows_of(base, "SELECT * FROM usage_key")
    assert {row["key_id"]: row["last_ns"] for row in found} == {key: at for key, at in used.items() if key}
