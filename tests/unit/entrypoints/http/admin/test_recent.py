import pytest

from clavero.domain.ledger import BootId
from clavero.domain.usage import Attempt, Exchange
from clavero.entrypoints.http.admin import recent as recent_module
from clavero.entrypoints.http.admin.recent import KEPT_S, Lengths, Recent, end_of, step_of
from clavero.testing.clock import StoppedClock
from clavero.wire.journal import Pulse, Record, Settle

BOOT = BootId("b1")
NS = 10**9


def one(clock: StoppedClock, ago_s: float = 1.0, **known: object) -> Exchange:
    """An exchange that ended so many seconds ago."""
    facts = {"status": 200, "key_id": "k1", "service": "mail", "overhead_us": 400, "total_us": 0, **known}
    at_ns = clock.wall_ns() - int(ago_s * NS) - int(facts["total_us"]) * 1000  # type: ignore[call-overload]
    return Exchange(f"req_{ago_s}", at_ns, **facts)  # type: ignore[arg-type] # facts of a test


def test_what_ended_in_the_last_seconds_is_counted_by_who_did_it() -> None:
    clock = StoppedClock()
    recent = Recent(clock)
    clock.advance(KEPT_S)
    tried = (
        Attempt("house", "m", 10, 2_010, 503, 0, "upstream_error"),
        Attempt("house", "m", 3_000, 9_000, 200, 5_000),
    )
    recent.heard(BOOT, [
        Settle("h", (), "", one(clock, cost_n=7, attempts=tried, first_token_us=4_000)),
        Record(one(clock, 2, status=429, code="rate_limit_exceeded", service="chat")),
        Record(one(clock, 3, status=502, code="upstream_error")),
        Record(one(clock, 20)),
        Pulse(1, 1, 0, 0, 0, 0),
    ])  # fmt: skip
    whole, seconds = recent.over(10)
    assert seconds == 10
    worker = whole.workers["b1"]
    assert (worker.calls, worker.errors, worker.refused, worker.cost_n) == (3, 1, 1, 7)
    assert (worker.ours.at(50), worker.first.at(50)) == (end_of(step_of(400)), end_of(step_of(4_000)))
    house = whole.providers["house"]
    assert (house.calls, house.errors) == (2, 1)
    assert house.ours.at(99) == end_of(step_of(6_000))
    assert {name: doing.calls for name, doing in whole.services.items()} == {"mail": 2, "chat": 1}
    last = whole.keys["k1"].last
    assert last is not None
    assert whole.keys["k1"].calls == 3
    assert recent.over(60)[0].workers["b1"].calls == 4


def test_a_backlog_counts_when_it_ended_and_not_when_it_was_read() -> None:
    clock = StoppedClock()
    recent = Recent(clock)
    recent.heard(BOOT, [Record(one(clock, 30)) for _ in range(500)])
    recent.heard(
        BOOT, [Record(one(clock, KEPT_S + 5)), Record(one(clock, -3600))]
    )  # long gone, and a clock that is off
    assert recent.over(10)[0].workers == {}
    assert recent.over(60)[0].workers["b1"].calls == 500


def test_a_long_stream_counts_when_it_ended() -> None:
    clock = StoppedClock()
    recent = Recent(clock)
    recent.heard(BOOT, [Record(one(clock, 1, total_us=300_000_000))])
    assert recent.over(10)[0].workers["b1"].calls == 1


def test_a_leg_that_was_not_the_last_is_work_of_its_provider_alone() -> None:
    clock = StoppedClock()
    recent = Recent(clock)
    leg = one(clock, final=False, attempts=(Attempt("house", "m", 0, 9, 500, 0, "upstream_error"),))
    recent.heard(BOOT, [Settle("h", (), "", leg)])
    whole, _ = recent.over(10)
    assert (whole.workers, whole.keys) == ({}, {})
    assert whole.providers["house"].errors == 1


def test_a_process_that_has_just_begun_says_how_little_it_has_seen() -> None:
    clock = StoppedClock()
    recent = Recent(clock)
    assert recent.over(30)[1] == 1
    clock.advance(7)
    assert recent.over(30)[1] == 7


def test_names_that_callers_make_up_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_module, "MOST_NAMES", 3)
    clock = StoppedClock()
    recent = Recent(clock)
    recent.heard(BOOT, [Record(one(clock, key_id=f"k{number}")) for number in range(10)])
    keys = recent.over(10)[0].keys
    assert {name: doing.calls for name, doing in keys.items()} == {"k0": 1, "k1": 1, "k2": 1, "": 7}
    for _ in range(3 * KEPT_S):
        clock.advance(1)
        recent.heard(BOOT, [Record(one(clock))])
    assert len(recent._seconds) <= KEPT_S + 2


@pytest.mark.parametrize("micros", [0, 1, 15, 16, 17, 31, 32, 33, 100, 999, 12_345, 600_000_000], ids=str)
def test_a_step_holds_its_lengths_and_is_at_most_a_sixteenth_too_long(micros: int) -> None:
    end = end_of(step_of(micros))
    assert micros <= end <= micros * 17 // 16 + 1
    assert step_of(end) == step_of(micros)
    assert step_of(end + 1) == step_of(micros) + 1


def test_percentiles_are_those_of_all_that_was_counted() -> None:
    lengths = Lengths()
    assert lengths.at(50) is None
    for micros in range(1, 1001):
        lengths.add(micros)
    assert [lengths.at(percent) for percent in (1, 50, 99, 100)] == [end_of(step_of(n)) for n in (10, 500, 990, 1000)]
