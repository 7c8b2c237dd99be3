import pytest

from clavero.simulator.models import ANTHROPIC, OPENAI, find


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-5.6-luna", "gpt-5"),
        ("gpt-6.1-sol", "gpt-5"),
        ("text-embedding-3-small", "text-embedding-3-small"),
    ],
)
def test_usual_names_dates_and_newer_members_of_a_family_are_known(name: str, found: str) -> None:
    card = find(OPENAI, name)
    assert card is not None
    assert card.name == found


@pytest.mark.parametrize(
    "name", ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "claude-3-5-haiku-latest", "claude-fable-5-2"]
)
def test_anthropic_names_are_known_to_anthropic_alone(name: str) -> None:
    assert find(ANTHROPIC, name) is not None
    assert find(OPENAI, name) is None


@pytest.mark.parametrize("name", ["", "gpt-nope", "gpt-4o-mini-", "gpt-4o\n", "claude", "claude-sonnet"])
def test_strangers_are_not_known(name: str) -> None:
    assert find(OPENAI, name) is None
    assert find(ANTHROPIC, name) is None
