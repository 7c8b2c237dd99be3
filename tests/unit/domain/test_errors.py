from clavero.domain.errors import Fault, InvalidApiKey, KeyRotated, Problem, UpstreamTimeout


def every(kind: type[Problem]) -> list[type[Problem]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in every(below))]


def test_the_code_is_the_name_and_no_two_share_one() -> None:
    codes = [kind.code for kind in every(Problem)[1:]]
    assert InvalidApiKey.code == "invalid_api_key"
    assert len(codes) == len(set(codes))


def test_the_message_is_the_fact_with_its_placeholders_filled() -> None:
    assert str(InvalidApiKey(kid="0123456789AB")) == "Unknown key 0123456789AB"
    assert str(KeyRotated(n=1)) == "Version 1 has ended"


def test_a_fact_that_is_missing_is_no_second_failure() -> None:
    assert str(UpstreamTimeout(provider="openai")) == "openai was silent for seconds s"


def test_every_problem_says_whose_fault_it_is_and_what_it_is() -> None:
    for kind in every(Problem)[1:]:
        assert isinstance(kind.fault, Fault)
        assert kind.__doc__
