from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.admin.hearing import hearing_at
from clavero.testing.clock import StoppedClock
from clavero.wire.journal import Record, Settle


async def test_everybody_hears_of_what_was_posted() -> None:
    hearing = hearing_at(StoppedClock(), lambda _: None)
    before = hearing.tail.cursor
    hearing.heard(BootId("b1"), [Record(Exchange("req_a", 1, status=200))])
    assert hearing.tail.cursor != before
    assert [count for _, count in hearing.meter.exchanges.items()] == [1]


async def test_what_was_billed_above_its_hold_is_said_aloud() -> None:
    told: list[str] = []
    hearing = hearing_at(StoppedClock(), lambda it: told.append(it.request_id))
    calls = [Exchange(name, 1, cost_n=cost, held_n=5) for name, cost in (("req_a", 5), ("req_b", 6))]
    hearing.heard(BootId("b1"), [Settle(it.request_id, (), "", it) for it in calls])
    assert told == ["req_b"]
