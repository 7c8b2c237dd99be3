import pytest

from clavero.simulator.answers import Answer
from clavero.simulator.faults import Fault, Faults, Planned, bend, named, refusal, twist
from clavero.simulator.refusals import Dialect
from clavero.simulator.replies import Bill, Ending, Reply, Step

STREAM = Reply(
    steps=(
        Step(1, b"open"),
        *(Step(0.1, b"piece", 1) for _ in range(4)),
        Step(0, b"end"),
        Step(0, b"data: [DONE]\n\n"),
    ),
    streamed=True,
    bill=Bill("m", 1, output=4),
)


def test_a_planned_fault_meets_so_many_calls_of_its_model() -> None:
    faults = Faults()
    faults.plan(Fault.ERROR, model="a", times=2)
    assert faults.take("b") is None
    assert [faults.take("a") is not None for _ in range(3)] == [True, True, False]
    assert not faults


def test_without_a_number_it_lasts_until_it_is_cleared() -> None:
    faults = Faults()
    faults.plan(Fault.ERROR, times=0)
    assert all(faults.take("x") for _ in range(5))
    faults.clear()
    assert faults.take("x") is None


def test_a_model_can_name_its_fault() -> None:
    assert named("gpt-4o") == ("gpt-4o", None)
    assert named("gpt-4o+cut=40") == ("gpt-4o", Planned(Fault.CUT, 40))
    assert named("gpt-4o+silence") == ("gpt-4o", Planned(Fault.SILENCE))
    with pytest.raises(ValueError, match="nonsense"):
        named("gpt-4o+nonsense")


@pytest.mark.parametrize("dialect", Dialect)
def test_each_refusal_has_its_status(dialect: Dialect) -> None:
    statuses = {fault: made.status for fault in Fault if (made := refusal(Planned(fault), dialect))}
    assert statuses == {
        Fault.RATE_LIMITED: 429,
        Fault.ERROR: 500,
        Fault.UNAVAILABLE: 503,
        Fault.KEY_REFUSED: 401,
        Fault.CONTEXT_LENGTH: 400,
        Fault.CONTENT_FILTER: 400,
    }


def test_overrun_and_silence_about_usage_act_on_the_answer() -> None:
    given = Answer(model="m", choices=(), input_tokens=1, output_tokens=5)
    assert twist(Planned(Fault.OVERRUN))(given).output_tokens == 10_005
    assert twist(Planned(Fault.OVERRUN, 7))(given).output_tokens == 7
    assert not twist(Planned(Fault.NO_USAGE))(given).reported
    assert twist(Planned(Fault.CUT))(given) == twist(None)(given) == given


def test_a_cut_keeps_so_many_tokens_and_no_end() -> None:
    bent = bend(Planned(Fault.CUT, 2), STREAM)
    assert (len(bent.steps), bent.ending) == (3, Ending.CUT)


def test_delays_are_added_where_the_fault_is() -> None:
    assert bend(Planned(Fault.LATE, 20), STREAM).steps[0].delay == 21
    assert bend(Planned(Fault.STALL), STREAM).steps[3].delay == pytest.approx(30.1)


def test_a_reset_and_a_silence_play_and_bill_nothing() -> None:
    for fault, ending in ((Fault.RESET, Ending.RESET), (Fault.SILENCE, Ending.HANG)):
        bent = bend(Planned(fault), STREAM)
        assert (bent.steps, bent.ending, bent.bill) == ((), ending, None)


def test_the_last_event_goes_missing_and_the_connection_may_stay() -> None:
    assert bend(Planned(Fault.NO_DONE), STREAM).ending is Ending.CLEAN
    bent = bend(Planned(Fault.NO_DONE, 1), STREAM)
    assert (bent.ending, bent.steps[-1].data) == (Ending.HANG, b"end")


def test_faults_of_streams_leave_plain_answers_alone() -> None:
    plain = Reply(steps=(Step(0, b"{}"),))
    for fault in (Fault.MALFORMED_CHUNK, Fault.NO_DONE, Fault.OVERRUN):
        assert bend(Planned(fault), plain) == plain
