"""Whatever is posted, roll-ups, rows and ledger say the same at every commit, to the nano-dollar, on both databases."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.usage_rolls import digest, group_of
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.adapters.storage.usage_sql import GROUP
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import AMOUNT_MAX, Charge, OpenHold, Posting, Turn
from clavero.domain.usage import Exchange, Tokens
from clavero.testing.ledgers import PostgresTestLedger, SqliteTestLedger, SqlTestLedger

BOOT = BootId("a" * 32)
MIDNIGHT = 20_500 * DAY_NS
ROWS = (
    RowKey(BudgetId("key/k:day"), 86_400),
    RowKey(BudgetId("team/t:month"), 0),
    RowKey(BudgetId("service/s:day"), 1),
)

ARRIVED = [("r1", -DAY_NS), ("r2", -1), ("r3", 0), ("r4", 1), ("r5", 3_600_000_000_000), ("r6", DAY_NS)]
words = st.sampled_from(["", "a", "é", "x" * 300])
amounts = st.sampled_from([0, 1, 7, AMOUNT_MAX])


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    name, after_ns = draw(st.sampled_from(ARRIVED))  # a request arrives once, whatever becomes of it
    return Exchange(
        name,
        MIDNIGHT + after_ns,
        key_id=draw(words), service=draw(words), feature=draw(words), model_asked=draw(words),
        model_served=draw(words), tokens=Tokens(draw(amounts), 0, draw(amounts), 3), cost_n=draw(amounts),
        status=draw(st.sampled_from([200, 429, 502])), code=draw(st.sampled_from(["", "overloaded"])),
        estimated=draw(st.booleans()), final=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def postings(draw: st.DrawFn) -> Posting:
    """Settlements, records without a charge, legs, the same again, and overruns: charges of which little is covered."""
    exchange = draw(exchanges())
    rows = draw(st.sets(st.sampled_from(ROWS)))
    cost = exchange.cost_n
    charges = tuple(Charge(row, cost, min(cost, draw(st.sampled_from([0, 5])))) for row in sorted(rows))
    return Posting(f"{exchange.request_id}.{draw(st.integers(1, 2))}", exchange, charges)


def holds(posting: Posting) -> OpenHold:
    rows = tuple((one.key.budget, one.key.period, one.charge) for one in posting.charges)
    return OpenHold(posting.hold_id, posting.exchange.at_ns, rows, posting.exchange)


turns = st.lists(st.lists(postings(), max_size=8), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlTestLedger]:
    ledger = SqliteTestLedger(Path(tmp_path_factory.mktemp("rolls")) / "clavero.db", SystemClock())
    yield ledger
    ledger.close()


@pytest.fixture
def on_a_server(postgres_url: str) -> Iterator[SqlTestLedger]:
    ledger = PostgresTestLedger(postgres_url)
    yield ledger
    ledger.close()


ANYHOW = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@settings(max_examples=20, **ANYHOW)  # type: ignore[arg-type] # the same for both
@given(posted=turns, left=st.lists(postings(), max_size=4))
def test_sums_are_equal_at_every_commit_in_a_file(
    on_file: SqlTestLedger, posted: list[list[Posting]], left: list[Posting]
) -> None:
    all_is_equal(on_file, posted, left)


@settings(max_examples=5, **ANYHOW)  # type: ignore[arg-type] # the same for both
@given(posted=turns, left=st.lists(postings(), max_size=4))
def test_sums_are_equal_at_every_commit_on_a_server(
    on_a_server: SqlTestLedger, posted: list[list[Posting]], left: list[Posting]
) -> None:
    all_is_equal(on_a_server, posted, left)


@pytest.mark.nightly
@pytest.mark.timeout(900)
@settings(max_examples=1500, **ANYHOW)  # type: ignore[arg-type] # the same for both
@given(posted=turns, left=st.lists(postings(), max_size=4))
def test_sums_are_equal_at_every_commit_through_many_histories(
    on_file: SqlTestLedger, posted: list[list[Posting]], left: list[Posting]
) -> None:
    all_is_equal(on_file, posted, left)


def all_is_equal(ledger: SqlTestLedger, posted: list[list[Posting]], left: list[Posting]) -> None:
    """Post turn by turn, then close the boot over holds that never ended: they are charged at their worst case."""
    ledger.empty()
    ledger.lender(Place("here", "kernel")).register(BOOT, "w")
    books, at = ledger.books(), Position(0, 0)
    for number, postings in enumerate([*posted, []], 1):
        to = Position(0, number * 10)
        opened = [] if postings else [holds(one) for one in left]
        assert books.post(Turn(BOOT, at, to, 10, opened, postings)) is not None
        at = to
        compare(ledger)
    assert books.close_boot(BOOT, at, complete=True)
    compare(ledger)


def compare(ledger: SqlTestLedger) -> None:
    """Every roll-up against sums over the rows, and the rows' charges against the ledger."""
    rows = list(ledger.usage().values())
    groups = {row["id"]: tuple(row[name] for name in GROUP) for row in named(ledger, "SELECT * FROM usage_group")}
    for table, unit in (("usage_hour", 3_600_000_000_000), ("usage_day", DAY_NS)):
        wanted: dict[tuple[Any, ...], Counter[str]] = {}
        for row in rows:
            asked = row["model_asked"] if row["model_served"] else ""
            group = tuple(asked if name == "model_asked" else row[name] for name in GROUP)
            wanted.setdefault((row["at_ns"] // unit, group), Counter()).update(sums(row))
        column = table.removeprefix("usage_")
        found = {(row.pop(column), groups[row.pop("group_id")]): row for row in named(ledger, "SELECT * FROM " + table)}
        assert found == {key: {name: total[name] for name in sums(rows[0])} for key, total in wanted.items()}
    minutes = Counter[int]()
    for row in named(ledger, "SELECT * FROM usage_minute"):
        minutes[row["minute"]] += row["cost_n"]
    assert minutes == summed((row["at_ns"] // 60_000_000_000, row["cost_n"]) for row in rows)
    charges = [(row, charge) for row in rows for charge in msgspec.json.decode(row["amounts"])]
    ledgers = {(row["budget_id"], row["period_start"]): row["posted"] for row in named(ledger, "SELECT * FROM ledger")}
    assert ledgers == summed(((budget, period), charge) for _, (budget, period, charge) in charges)
    rolled = {
        (row["day"], row["budget_id"], row["period_start"]): row["charged_n"]
        for row in named(ledger, "SELECT * FROM usage_charge")
    }
    assert rolled == summed(((row["day"], budget, period), charge) for row, (budget, period, charge) in charges)


def sums(row: dict[str, Any]) -> dict[str, int]:
    amounts = msgspec.json.decode(row["amounts"])
    return {
        **{name: row[name] for name in ("input", "cached", "cache_write", "output", "reasoning", "cost_n")},
        "calls": int(row["final"]),
        "estimated_n": row["cost_n"] if row["estimated"] else 0,
        "unbudgeted_n": 0 if amounts else row["cost_n"],
        "charged_n": amounts[0][2] if amounts else 0,
    }


def summed(parts: Iterator[tuple[Any, int]]) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for key, amount in parts:
        found[key] = found.get(key, 0) + amount
    return found


def named(ledger: SqlTestLedger, query: str) -> list[dict[str, Any]]:
    with ledger.engine.connect() as connection:
        return [dict(row) for row in connection.exec_driver_sql(query).mappings()]


def test_a_group_is_found_by_all_its_members_and_by_nothing_else() -> None:
    one = Exchange("r", 5, "k", service="s", model_asked="m", model_served="m2", status=200)
    assert digest(group_of(one)) == digest(group_of(msgspec.structs.replace(one, request_id="other", at_ns=9)))
    for name in GROUP:
        other = msgspec.structs.replace(one, **{name: 429 if name == "status" else "other"})
        assert digest(group_of(one)) != digest(group_of(other)), name


def test_the_callers_own_words_make_no_group() -> None:
    made = {
        group_of(Exchange("r", 5, model_asked=f"made-up-{n}", status=404, code="model_not_found")) for n in range(9)
    }
    assert len(made) == 1
