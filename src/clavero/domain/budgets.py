"""Budgets: a limit on what a subject may spend in a window. All that apply are held together or not at all."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, NewType

from msgspec import Struct

BudgetId = NewType("BudgetId", str)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday


class Subject(StrEnum):
    """What a budget is on, widest first."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"
    ENVIRONMENT = "environment"
    SERVICE = "service"
    KEY = "key"


class Window(StrEnum):
    """How long a budget lasts before it starts again, in UTC; weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    FOREVER = "forever"


class Policy(StrEnum):
    """What to do where the asked worst case does not fit."""

    REJECT = "reject"
    CLAMP = "clamp"


class BudgetState(StrEnum):
    """A deleted budget stays `closing` until nothing is leased from it (L30)."""

    OPEN = "open"
    CLOSING = "closing"


class RowKey(NamedTuple):
    """One row of the ledger: one budget, one window. `period` is the UTC second it starts; 0 for a budget for ever."""

    budget: BudgetId
    period: int


class Budget(Struct, frozen=True, kw_only=True):
    """A limit in nano-USD on one subject and window. `id` is `team/support:day`; a key's subject is its kid."""

    id: BudgetId
    subject: Subject
    name: str
    window: Window
    limit_n: int
    policy: Policy = Policy.REJECT
    state: BudgetState = BudgetState.OPEN
    created_ns: int = 0


def budget_id(subject: Subject, name: str, window: Window) -> BudgetId:
    """The id of the one budget that a subject can have for a window."""
    return BudgetId(f"{subject}/{name}:{window}")


def budget_parts(budget: str) -> tuple[Subject, str] | None:
    """The subject and name that a budget's id says; None where it is not of that form."""
    subject, slash, rest = budget.partition("/")
    name, colon, _ = rest.rpartition(":")
    return (Subject(subject), name) if slash and colon and subject in set(Subject) else None


def window_of(budget: str) -> Window:
    """The window that a budget's id says; for ever where it says none."""
    word = budget.rpartition(":")[2]
    return Window(word) if word in set(Window) else Window.FOREVER


def period_start(window: Window, at_ns: int) -> int:
    """The UTC second in which the window that holds this instant began."""
    second = at_ns // 1_000_000_000
    match window:
        case Window.FOREVER:
            return 0
        case Window.DAY:
            return second - second % _DAY
        case Window.WEEK:
            return second - (second + _MONDAY_OFFSET * _DAY) % (7 * _DAY)
        case Window.MONTH:
            day = _EPOCH + timedelta(seconds=second)
            return int(day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())


def period_end(window: Window, start: int) -> int | None:
    """The UTC second in which a window that began then ends; None for ever."""
    match window:
        case Window.FOREVER:
            return None
        case Window.DAY:
            return start + _DAY
        case Window.WEEK:
            return start + 7 * _DAY
        case Window.MONTH:
            return period_start(Window.MONTH, (start + 32 * _DAY) * 1_000_000_000)


def utc(second: int) -> str:
    """A UTC second as programs read it: 2026-11-23T00:00:00Z."""
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
