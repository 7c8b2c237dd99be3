"""CVE-2026-25591: `%_%` in a search field became a pattern that read the whole table, again and again.

Here a text that is searched for is a value: it is compared, never a pattern and never a part of a statement.
"""

from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import budgets, catalog, keys, requests
from clavero.control.commit import perform
from clavero.control.keys import NewKey
from clavero.control.requests import Wanted
from clavero.domain.access import SYSTEM
from clavero.domain.refusals import NotFound


@pytest.mark.parametrize("text", ["%_%", "%", "_" * 5000, "' OR '1'='1", "\\", "*"])
async def test_a_wildcard_finds_what_is_called_so_and_nothing_else(tmp_path: Path, text: str) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-chat-01", owner="asha"))
        await catalog.update_prices(desk)
        assert await keys.list_keys(desk, owner=text) == []
        assert await budgets.list_budgets(desk, name=text) == []
        assert await requests.latest(desk, Wanted(service=text, key=text, model=text, code=text)) == []
        found = await catalog.list_prices(desk, containing=text)
        assert found == [price for price in found if text.lower() in price.id]
        with pytest.raises(NotFound):
            await keys.show_key(desk, text)
        with pytest.raises(NotFound):
            await requests.trace(desk, text)
