from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control.budgets import NewBudget
from clavero.control.commit import perform
from clavero.control.issue import create_limited
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.budgets import Budget, Subject, Window
from clavero.domain.keys import Key
from clavero.domain.refusals import InvalidValue

WANTED = NewKey(name="prod-mail-01", owner="asha")


async def test_a_key_and_its_limit_are_one_change(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        limit = NewBudget(subject=Subject.TEAM, name="anything", window=Window.DAY, limit_n=10)
        issued = await perform(desk, SYSTEM, create_limited, wanted=WANTED, budget=limit, reason="trial")
        async with desk.store.read() as look:
            (budget,) = await look.find(Budget)
            (row,) = await look.find(AuditRow)
        assert (budget.subject, budget.name, budget.limit_n) == (Subject.KEY, issued.key.id, 10)
        assert (row.action, row.object_kind, row.object_id) == ("key.create_limited", "virtual_key", issued.key.id)
        assert row.reason == "trial"


async def test_a_limit_that_is_refused_leaves_no_key(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        limit = NewBudget(subject=Subject.KEY, window=Window.DAY, limit_n=-1)
        with pytest.raises(InvalidValue):
            await perform(desk, SYSTEM, create_limited, wanted=WANTED, budget=limit)
        async with desk.store.read() as look:
            assert await look.find(Key) == []
            assert await look.find(AuditRow) == []
