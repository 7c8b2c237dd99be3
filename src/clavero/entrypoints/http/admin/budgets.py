"""Budgets: what may be spent, on whom, in which window, and where each stands."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends

from clavero.control import budgets
from clavero.control.budgets import NewBudget, Standing
from clavero.domain.budgets import Budget, BudgetState, Policy, Subject, Window
from clavero.domain.refusals import InvalidValue
from clavero.domain.units import format_limit
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Nano, Reasoned, Text, View, limit_of, moment, nano_of

routes = router("budgets")
Reader = Annotated[Caller, Depends(Needs("budget.read"))]


class BudgetView(View):
    """A budget and its running window. `held` is lent to workers: open worst cases and what they keep at hand."""

    id: str
    subject: Subject
    name: str
    window: Window
    limit: str
    limit_nano_usd: Nano
    spent_nano_usd: Nano
    held_nano_usd: Nano
    lost_nano_usd: Nano
    excess_nano_usd: Nano
    left_nano_usd: Nano
    policy: Policy
    state: BudgetState
    starts_at: Moment
    resets_at: Moment


class BudgetsView(View):
    """Every open budget, widest subject first."""

    budgets: list[BudgetView]


class BudgetBody(Reasoned):
    """One budget: `limit` says amount and window (`$10/day`), or `limit_usd` and `window` do."""

    subject: Subject
    name: Text = ""
    window: Window | None = None
    limit: Text = ""
    limit_usd: Decimal | None = None
    policy: Policy = Policy.REJECT


@routes.get("/budgets")
async def list_budgets(caller: Reader, subject: Subject | None = None, name: Text = "") -> BudgetsView:
    """Where every budget stands; those of one subject, or of one name of it."""
    found = await budgets.list_budgets(caller.desk, subject=subject, name=name)
    return BudgetsView(budgets=[view(one) for one in found])


@routes.put("/budgets")
async def set_budget(caller: Annotated[Caller, Depends(Needs("budget.set"))], body: BudgetBody) -> BudgetView:
    """Make a budget, or change the one that this subject has for this window; a lower limit binds at once."""
    limit_n, window = _limit(body)
    wanted = NewBudget(subject=body.subject, name=body.name, window=window, limit_n=limit_n, policy=body.policy)
    made = await caller.do(budgets.set_budget, wanted=wanted, reason=body.reason)
    return await _standing(caller, made)


@routes.delete("/budgets/{budget:path}")
async def delete_budget(
    caller: Annotated[Caller, Depends(Needs("budget.delete"))], budget: str, reason: Text = ""
) -> dict[str, str]:
    """Close a budget: it binds no further call. It is named by its id, `team/support:day`."""
    closed = await caller.do(budgets.delete_budget, budget=budget, reason=reason)
    return {"id": closed.id, "state": closed.state}


def view(standing: Standing) -> BudgetView:
    """A budget as it is told."""
    budget = standing.budget
    return BudgetView(
        id=budget.id,
        subject=budget.subject,
        name=standing.name,
        window=budget.window,
        limit=format_limit(budget.limit_n, budget.window),
        limit_nano_usd=budget.limit_n,
        spent_nano_usd=standing.spent_n,
        held_nano_usd=standing.held_n,
        lost_nano_usd=standing.lost_n,
        excess_nano_usd=standing.excess_n,
        left_nano_usd=standing.left_n,
        policy=budget.policy,
        state=budget.state,
        starts_at=moment(standing.starts_ns),
        resets_at=moment(standing.resets_ns),
    )


def _limit(body: BudgetBody) -> tuple[int, Window]:
    if body.limit_usd is None:
        limit_n, window = limit_of(body.limit)
        if body.window and "/" not in body.limit:
            return limit_n, body.window
        if body.window not in {None, window}:
            raise InvalidValue("window", f"{window}, as the limit says", window)
        return limit_n, window
    if body.limit:
        raise InvalidValue("limit_usd", "left out where limit is given")
    if body.window is None:
        raise InvalidValue("window", f"one of {', '.join(Window)}", Window.DAY)
    return nano_of(body.limit_usd, "limit_usd"), body.window


async def _standing(caller: Caller, budget: Budget) -> BudgetView:
    found = await budgets.list_budgets(caller.desk, subject=budget.subject, name=budget.name)
    return view(next(one for one in found if one.budget.id == budget.id))
