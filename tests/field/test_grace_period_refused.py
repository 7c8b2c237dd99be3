"""BerriAI/litellm#27193: a grace period was stored with the rotated key, and the old key was refused anyway.

Both versions are let in until the grace ends, to the nanosecond; then the old one hears which version to use.
"""

from pathlib import Path

import pytest
from tests.field.door import door
from tests.unit.control.desk import open_desk

from clavero.control.commit import perform
from clavero.control.keys import NewKey, create, rotate
from clavero.domain.access import SYSTEM
from clavero.domain.errors import KeyRotated
from clavero.testing.clock import StoppedClock

HOUR_NS = 3600 * 10**9


@pytest.mark.requirement(12)
async def test_the_old_key_works_until_the_grace_ends_and_not_after(tmp_path: Path) -> None:
    clock = StoppedClock()
    async with open_desk(tmp_path, clock) as desk:
        old = await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        new = await perform(desk, SYSTEM, rotate, name="prod-mail-01", grace_ns=HOUR_NS)
        knock = await door(desk)
        began = clock.wall_ns()
        for at_ns in (began, began + 1, began + HOUR_NS - 1):
            clock.set_wall(at_ns)
            assert [knock(old.secret.reveal()), knock(new.secret.reveal())] == [1, 2]
        clock.set_wall(began + HOUR_NS)
        refused = knock(old.secret.reveal())
        assert isinstance(refused, KeyRotated)
        assert (refused.facts["n"], refused.facts["k"]) == (1, 2)
        assert knock(new.secret.reveal()) == 2


async def test_without_grace_the_old_key_ends_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, StoppedClock()) as desk:
        old = await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        new = await perform(desk, SYSTEM, rotate, name="prod-mail-01", grace_ns=0)
        knock = await door(desk)
        assert isinstance(knock(old.secret.reveal()), KeyRotated)
        assert knock(new.secret.reveal()) == 2
