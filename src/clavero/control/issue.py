"""A key together with its first budget, in one change: nobody holds a key that was meant to be limited and is not."""

from msgspec.structs import replace

from clavero.control.budgets import NewBudget, set_budget
from clavero.control.commit import Changing, operation
from clavero.control.keys import Issued, NewKey, create
from clavero.domain.budgets import Subject


@operation("key.create_limited")
async def create_limited(
    change: Changing, *, wanted: NewKey, budget: NewBudget, override: bool = False, reason: str = ""
) -> Issued:
    """A new key with a budget of its own; what is refused of either leaves neither."""
    issued = await create(change, wanted=wanted, override=override, reason=reason)
    await set_budget(change, wanted=replace(budget, subject=Subject.KEY, name=issued.key.id), reason=reason)
    return issued
