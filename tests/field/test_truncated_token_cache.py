"""CVE-2026-35030: a cache of checked tokens was keyed by the first characters, so that another token shared the verdict.

Nothing is remembered by token here: every character counts, before and after the right key was let in.
"""

from pathlib import Path

from tests.field.door import door
from tests.unit.control.desk import open_desk

from clavero.control.commit import perform
from clavero.control.keys import NewKey, create
from clavero.domain.access import SYSTEM
from clavero.domain.errors import Problem


async def test_every_character_of_a_key_counts_also_after_the_right_one_was_let_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        issued = await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        other = await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-02", owner="asha"))
        knock = await door(desk)
        token = issued.secret.reveal()
        for place in range(len(token)):
            altered = token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :]
            assert knock(token) == 1
            assert isinstance(knock(altered), Problem), place
            assert isinstance(knock(token[: place + 1]), Problem) or place == len(token) - 1
        assert isinstance(knock(token + "0"), Problem)
        assert isinstance(knock(token * 2), Problem)
        assert isinstance(knock(token[:23] + other.secret.reveal()[23:]), Problem)
        assert knock(token) == 1
        assert knock(other.secret.reveal()) == 1
