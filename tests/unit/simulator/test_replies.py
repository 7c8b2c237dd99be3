from clavero.simulator.answers import Answer, Choice
from clavero.simulator.replies import Bill, Pace, bill_of, event, plain


def test_an_event_is_named_where_it_has_a_name() -> None:
    assert event({"a": 1}) == b'data: {"a":1}\n\n'
    assert event({"a": 1}, "ping") == b'event: ping\ndata: {"a":1}\n\n'


def test_a_plain_answer_takes_as_long_as_all_its_tokens() -> None:
    reply = plain({}, Bill("m", 5, output=10, extra=4), Pace(1.0, 0.5))
    assert (reply.steps[0].delay, reply.steps[0].tokens) == (6.0, 6)
    assert plain({}, None, Pace(1.0, 0.5)).steps[0].delay == 0.0


def test_what_no_piece_carries_is_extra_on_the_bill() -> None:
    given = Answer(model="m", choices=(Choice(("a", "b"), "stop"),), input_tokens=3, output_tokens=10)
    assert bill_of(given) == Bill("m", 3, 0, 10, extra=8)
