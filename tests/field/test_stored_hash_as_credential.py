"""GHSA-69x8-hrgq-fjj8: what the database stores of a key was accepted in place of the key.

Whoever reads the table, a backup or a log of digests must hold nothing that opens the door.
"""

import base64
from pathlib import Path

import pytest
from tests.field.door import door
from tests.unit.control.desk import open_desk

from clavero.control.commit import perform
from clavero.control.keys import NewKey, create
from clavero.domain.access import SYSTEM
from clavero.domain.errors import Problem
from clavero.domain.tokens import base62


@pytest.mark.requirement(12)
async def test_a_stored_digest_opens_nothing_in_any_spelling(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        issued = await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        knock = await door(desk)
        digest, token = issued.key.versions[0].digest, issued.secret.reveal()
        stem, number = token[:23], int.from_bytes(digest)
        spelt = base62(number, 43)
        tries = [
            digest.hex(),
            digest.hex().upper(),
            digest.decode("latin-1"),
            base64.b64encode(digest).decode(),
            base64.urlsafe_b64encode(digest).decode().rstrip("="),
            f"sk-{digest.hex()}",
            spelt,
            stem + spelt + token[-6:],
            stem + spelt + _checksum(stem + spelt),
            stem + digest.hex()[:49],
            issued.key.id,
            stem,
        ]
        assert knock(token) == 1
        assert all(isinstance(knock(one), Problem) for one in tries)


def _checksum(body: str) -> str:
    from zlib import crc32

    return base62(crc32(body.encode()), 6)
