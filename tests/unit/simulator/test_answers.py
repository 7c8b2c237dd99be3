import pytest

from clavero.simulator.answers import Answer, Ask, Tool, answer
from clavero.simulator.models import OPENAI
from clavero.simulator.refusals import Dialect, Refusal

CARD = OPENAI["gpt-4o-mini"]


def told(text: str = "Hi", **facts: object) -> Answer:
    ask = {"card": CARD, "model": "m", "text": text, "input_tokens": 9} | facts
    return answer(Ask(**ask), Dialect.OPENAI)  # type: ignore[arg-type]  # facts of a test


def test_the_same_question_gets_the_same_answer() -> None:
    assert told("Why?") == told("Why?") != told("How?")


def test_an_answer_says_that_it_is_invented() -> None:
    assert "invented" in told().choices[0].text


def test_choices_differ() -> None:
    first, second = told(choices=2).choices
    assert first != second


@pytest.mark.parametrize(
    ("text", "tokens"), [("Give me 12 words", 12), ("en 200 palabras", 200), ("99999 tokens", 16_384)]
)
def test_a_question_may_want_a_length_up_to_a_limit(text: str, tokens: int) -> None:
    assert told(text).output_tokens == tokens


def test_the_models_own_limit_caps_where_nobody_else_does() -> None:
    short = OPENAI["gpt-3.5-turbo"]
    given = told("9000 tokens", card=short)
    assert (given.output_tokens, given.choices[0].finish) == (short.output, "length")


def test_a_tool_is_called_by_name_by_a_word_of_it_or_by_force() -> None:
    tools = (Tool("get_weather"), Tool("find_order"))
    assert told("use find_order", tools=tools).choices[0].tool == "find_order"
    assert told("the order?", tools=tools).choices[0].tool == "find_order"
    assert told("Hi", tools=tools).choices[0].tool == ""
    assert told("Hi", tools=tools, forced="*").choices[0].tool == "get_weather"
    assert told("Hi", tools=tools, forced="find_order").choices[0].tool == "find_order"
    assert told("the order?", tools=tools, forced="none").choices[0].tool == ""


def test_the_earliest_stop_ends_the_text() -> None:
    choice = told(stops=("model", "clavero")).choices[0]
    assert (choice.finish, choice.sequence) == ("sequence", "clavero")
    assert "clavero" not in choice.text


def test_reasoning_eats_the_cap_first() -> None:
    given = told(cap=5, reasons=True)
    assert (given.reasoning, given.output_tokens, given.choices[0].finish) == (5, 5, "length")


def test_too_long_an_input_and_a_schema_without_instance_are_refused() -> None:
    with pytest.raises(Refusal) as refused:
        told(input_tokens=CARD.context + 1)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(Refusal, match="no instance"):
        told(schema={"type": "string", "pattern": "("})
