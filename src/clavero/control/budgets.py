"""Budgets: limits on what a subject may spend in a window, changed together with what the ledger has of them (L30).

A lowered limit is in force for the next borrow, in the transaction that lowers it; what was committed above it stays
and is counted as excess. A deleted budget closes: its rows stay until nothing is leased from them.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import key_named, named, nearest
from clavero.domain.budgets import Budget, BudgetState, Policy, Subject, Window, budget_id, period_end, period_start
from clavero.domain.keys import Key, KeyState
from clavero.domain.money import LARGEST, to_usd
from clavero.domain.organisation import ORGANISATION, Environment, Project, Service, Team
from clavero.domain.refusals import InvalidValue, NotFound, StateForbids
from clavero.ports.store import Reading

_KINDS: dict[Subject, type[Team | Project | Service | Environment]] = {
    Subject.TEAM: Team,
    Subject.PROJECT: Project,
    Subject.ENVIRONMENT: Environment,
    Subject.SERVICE: Service,
}
_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})


class NewBudget(Struct, frozen=True, kw_only=True):
    """A budget as it is asked for: a key is named by its name or kid, the organisation needs no name."""

    subject: Subject
    name: str = ""
    window: Window
    limit_n: int
    policy: Policy = Policy.REJECT


class Standing(Struct, frozen=True, kw_only=True):
    """A budget and where it stands in the window that is running, nano-USD.

    `name` is what people call its subject. `held_n` is lent to workers: open worst cases, and what they keep at hand.
    `lost_n` is written off. `resets_ns` is when the window ends; 0 is never.
    """

    budget: Budget
    name: str
    spent_n: int
    held_n: int
    lost_n: int
    excess_n: int
    left_n: int
    starts_ns: int
    resets_ns: int

    @property
    def label(self) -> str:
        """The subject as people say it: `team/support`, `key/prod-mail-01`; the window stands beside it."""
        return f"{self.budget.subject}/{self.name}"


@operation("budget.set")
async def set_budget(
    change: Changing,
    *,
    wanted: NewBudget,
    reason: str = "",  # noqa: ARG001 - the audit's
) -> Budget:
    """Make a budget, change its limit and policy, or open a closed one again."""
    if not 0 <= wanted.limit_n <= LARGEST:
        raise InvalidValue("limit", f"from $0 to ${to_usd(LARGEST)}")
    name = await _subject(change, wanted.subject, wanted.name)
    identity = budget_id(wanted.subject, name, wanted.window)
    before = await change.get(Budget, identity)
    budget = Budget(
        id=identity,
        subject=wanted.subject,
        name=name,
        window=wanted.window,
        limit_n=wanted.limit_n,
        policy=wanted.policy,
        created_ns=before.created_ns if before else change.now_ns,
    )
    await change.put(budget)
    await change.run("apply_limit", budget=budget.id, limit=budget.limit_n)
    return budget


@operation("budget.delete")
async def delete_budget(
    change: Changing,
    *,
    budget: str,
    reason: str = "",  # noqa: ARG001 - the audit's
) -> Budget:
    """Close a budget: nothing is lent from it any more, and it binds no further call. It is named by its id."""
    found = await budget_named(change, budget)
    closing = replace(found, state=BudgetState.CLOSING)
    await change.put(closing)
    await change.run("close_budget", budget=closing.id)
    return closing


async def budget_named(look: Reading | Changing, name: str) -> Budget:
    """The open budget with this id; a key's may be said by the key's name: `key/prod-x-01:day`."""
    budget = await look.get(Budget, await _with_kid(look, name))
    if budget is None or budget.state is BudgetState.CLOSING:
        known = [one.id for one in await look.find(Budget, state=BudgetState.OPEN)]
        raise NotFound("budget", name, nearest(name, known))
    return budget


async def list_budgets(desk: Desk, *, subject: Subject | None = None, name: str = "") -> list[Standing]:
    """Where every open budget stands, widest subject first; those of one subject, or of one name of it."""
    if subject is not None and name:
        wanted = await standings_of(desk, {subject: name})
    else:
        every = await standings(desk)
        wanted = [
            one
            for one in every
            if subject in {None, one.budget.subject} and (not name or name in {one.name, one.budget.name})
        ]
    return sorted(wanted, key=lambda one: (list(Subject).index(one.budget.subject), one.name, one.starts_ns))


async def standings(desk: Desk) -> list[Standing]:
    """Where every open budget stands, by id; a window that nothing was spent in has no row in the ledger yet."""
    now_ns = desk.clock.wall_ns()
    starts = {f"{window}_start": period_start(window, now_ns) for window in Window if window is not Window.FOREVER}
    async with desk.store.read() as look:
        rows = {str(row["budget_id"]): row for row in await look.rows("budget_rows", **starts)}
        budgets = await look.find(Budget, state=BudgetState.OPEN)
        names = {str(row["id"]): str(row["name"]) for row in await look.rows("key_names")}
    return [_standing(one, rows.get(one.id, {}), names.get(one.name, one.name), now_ns) for one in budgets]


async def standings_of(desk: Desk, names: Mapping[Subject, str]) -> list[Standing]:
    """Where the open budgets of these subjects stand, a key named by its name or kid.

    No other budget is looked at: there may be one for each of a hundred thousand keys.
    """
    now_ns = desk.clock.wall_ns()
    found = []
    async with desk.store.read() as look:
        for subject, name in names.items():
            key = await _key(look, name) if subject is Subject.KEY else None
            for window in Window:
                budget = await look.get(Budget, budget_id(subject, key.id if key else name, window))
                if budget is None or budget.state is not BudgetState.OPEN:
                    continue
                rows = await look.rows("budget_row", budget=budget.id, start=period_start(window, now_ns))
                row = rows[0] if rows else {}
                found.append(_standing(budget, row, key.name if key else budget.name, now_ns))
    return found


async def nearest_limit(desk: Desk, most: int) -> list[Standing]:
    """The open budgets of which the largest share is gone, so many of them; one that nothing was spent on is none."""
    now_ns = desk.clock.wall_ns()
    starts = {f"{window}_start": period_start(window, now_ns) for window in Window if window is not Window.FOREVER}
    found = []
    async with desk.store.read() as look:
        for row in await look.rows("budgets_nearest", most=most, **starts):
            budget = await look.get(Budget, row["budget_id"])
            if budget is not None:
                key = await look.get(Key, budget.name) if budget.subject is Subject.KEY else None
                found.append(_standing(budget, row, key.name if key else budget.name, now_ns))
    return found


def binding(key: Key, service: Service | None) -> dict[Subject, str]:
    """Every subject whose budgets bind the calls of a key, with its name."""
    return {
        Subject.ORGANISATION: ORGANISATION,
        Subject.TEAM: service.team if service else "",
        Subject.PROJECT: service.project if service else "",
        Subject.ENVIRONMENT: key.environment,
        Subject.SERVICE: key.service,
        Subject.KEY: str(key.id),
    }


async def _key(look: Reading, name: str) -> Key | None:
    return next(iter(await look.find(Key, name=name)), None) or await look.get(Key, name)


def _standing(budget: Budget, row: dict[str, int], name: str, now_ns: int) -> Standing:
    start = period_start(budget.window, now_ns)
    spent, held, lost = (int(row.get(part, 0)) for part in ("posted", "leased", "lost"))
    return Standing(
        budget=budget,
        name=name,
        spent_n=spent,
        held_n=held,
        lost_n=lost,
        excess_n=int(row.get("excess", 0)),
        left_n=max(0, budget.limit_n - spent - held - lost),
        starts_ns=start * 1_000_000_000,
        resets_ns=(period_end(budget.window, start) or 0) * 1_000_000_000,
    )


async def _subject(change: Changing, subject: Subject, name: str) -> str:
    """What the subject is called in the budget's id; `NotFound` where there is none."""
    match subject:
        case Subject.ORGANISATION:
            if name not in {"", ORGANISATION}:
                raise InvalidValue("name", f"{ORGANISATION}: there is one organisation", ORGANISATION)
            return ORGANISATION
        case Subject.KEY:
            return _living(await key_named(change, name)).id
        case _:
            return (await named(change, _KINDS[subject], name, str(subject))).name


def _living(key: Key) -> Key:
    if key.state in _OVER:
        fix = "clavero key create makes another"
        raise StateForbids("key", key.name, key.state, "given a budget", fix)
    return key


async def _with_kid(look: Reading | Changing, name: str) -> str:
    subject, slash, rest = name.partition("/")
    key, colon, window = rest.rpartition(":")
    if subject != Subject.KEY or not slash or not colon:
        return name
    found = await look.find(Key, name=key)
    return budget_id(Subject.KEY, found[0].id, Window(window)) if found and window in set(Window) else name
