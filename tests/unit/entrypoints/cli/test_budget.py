import pytest

from clavero.domain.budgets import Subject
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.budget import check_limit, read_subject, row, shown_id
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.show import Cell

BUDGET = {
    "id": "key/5hT0bVn3KcRa:day", "subject": "key", "name": "prod-mail-01", "window": "day", "limit": "$10/day",
    "limit_nano_usd": 10_000_000_000, "spent_nano_usd": 9_980_000_000, "held_nano_usd": 10_000_000, "policy": "reject",
    "state": "open", "resets_at": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def use(**changed: object) -> Cell:
    cell = row({**BUDGET, **changed})[4]
    assert isinstance(cell, Cell)
    return cell


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("team/support", (Subject.TEAM, "support")),
        ("organisation", (Subject.ORGANISATION, "default")),
        ("organisation/acme", (Subject.ORGANISATION, "acme")),
        ("key/prod-mail-01", (Subject.KEY, "prod-mail-01")),
    ],
)
def test_a_subject_is_its_kind_and_name(text: str, subject: tuple[Subject, str]) -> None:
    assert read_subject(text) == subject


@pytest.mark.parametrize("text", ["", "team", "team/", "/support", "tem/support", "support"])
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(Failure) as refused:
        read_subject(text)
    assert refused.value.exit_code is Exit.USAGE
    assert "team/NAME" in refused.value.fix


@pytest.mark.parametrize("text", ["", "/day", "$10/dya", "-5/day", "ten", "1e400"])
def test_a_limit_that_the_shell_has_eaten_or_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        check_limit(text)


def test_a_row_names_the_budget_as_people_do() -> None:
    cells = row(BUDGET)
    assert cells[0] == "key/prod-mail-01"
    assert cells[1:4] == ("$9.98", "$0.01", "$10/day")
    assert shown_id(BUDGET) == "key/prod-mail-01:day"


@pytest.mark.parametrize(
    ("spent", "text", "meaning"),
    [
        (0, "·····   0%", "ok"),
        (7_990_000_000, "████·  80%", "warn"),
        (9_980_000_000, "████·  99%", "warn"),
        (9_990_000_000, "█████ 100%", "bad"),
        (12_000_000_000, "█████ 120%", "bad"),
        (200_000_000_000, "█████ >999%", "bad"),
    ],
)
def test_the_bar_counts_what_is_spent_and_what_is_held(spent: int, text: str, meaning: str) -> None:
    assert use(spent_nano_usd=spent) == Cell(text, meaning)


def test_a_budget_of_nothing_is_used_up() -> None:
    assert use(limit_nano_usd=0, spent_nano_usd=0, held_nano_usd=0).meaning == "bad"
