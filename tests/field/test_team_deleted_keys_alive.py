"""litellm#34217: a team was deleted and its keys went on working, charged to nobody.

Here nothing that a key stands on can be removed, by any way down: team, project, service, environment.
"""

from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import keys, organisation
from clavero.control.commit import perform
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.keys import KeyState
from clavero.domain.refusals import InUse


@pytest.mark.parametrize("state", ["active", "disabled"])
async def test_a_team_goes_only_after_its_keys(tmp_path: Path, state: str) -> None:
    async with open_desk(tmp_path) as desk:
        wanted = NewKey(name="prod-chat-01", owner="asha", team="support", project="helpdesk")
        await perform(desk, SYSTEM, keys.create, wanted=wanted)
        if state == "disabled":
            await perform(desk, SYSTEM, keys.disable, name="prod-chat-01")
        for work, name in (
            (organisation.remove_team, "support"),
            (organisation.remove_project, "helpdesk"),
            (organisation.remove_service, "chat"),
            (organisation.remove_environment, "prod"),
        ):
            with pytest.raises(InUse):
                await perform(desk, SYSTEM, work, name=name)
        await perform(desk, SYSTEM, keys.revoke, name="prod-chat-01")
        await perform(desk, SYSTEM, organisation.remove_service, name="chat")
        await perform(desk, SYSTEM, organisation.remove_project, name="helpdesk")
        await perform(desk, SYSTEM, organisation.remove_team, name="support")
        assert (await keys.show_key(desk, "prod-chat-01")).state is KeyState.REVOKED
