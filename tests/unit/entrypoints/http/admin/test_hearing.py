from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.admin.hearing import hearing_at
from clavero.testing.clock import StoppedClock
from clavero.wire.journal import Record


async def test_everybody_hears_of_what_was_posted() -> None:
    hearing = hearing_at(StoppedClock())
    before = hearing.tail.cursor
    hearing.heard(BootId("b1"), [Record(Exchange("req_a", 1, status=200))])
    assert hearing.tail.cursor != before
    assert [count for _, count in hearing.meter.exchanges.items()] == [1]
