"""CVE-2026-42208: a token from the Authorization header was put into SQL before anybody had been authenticated.

Here a text that has not the exact shape of a token never reaches the database, and one that has is a bound value.
"""

import os
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import signin
from clavero.control.commit import perform
from clavero.domain import tokens
from clavero.domain.access import SYSTEM
from clavero.domain.refusals import NotSignedIn
from clavero.domain.tokens import Kind

INJECTIONS = ["' OR 1=1 --", "clva_admin_' OR '1'='1", "x'; DROP TABLE admin_token; --", "clva_admin_" + "%" * 61]


@pytest.mark.parametrize("text", INJECTIONS)
async def test_a_statement_in_place_of_a_token_is_nobody(tmp_path: Path, text: str) -> None:
    async with open_desk(tmp_path) as desk:
        secret = await perform(desk, SYSTEM, signin.create_token)
        with pytest.raises(NotSignedIn):
            await signin.who_sent(desk, text, "")
        with pytest.raises(NotSignedIn):
            await signin.who_sent(desk, tokens.mint(Kind.ADMIN, "admin", os.urandom)[1].reveal(), "")
        assert (await signin.who_sent(desk, secret.reveal(), "")).kind == "token"
