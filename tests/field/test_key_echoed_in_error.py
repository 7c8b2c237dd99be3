"""BerriAI/litellm#25203: an error said the whole key back, and so did every log behind it.

Whatever is sent in place of a key, and wherever a key is put where it does not belong: the answer shows no secret of it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.field.door import door
from tests.unit.control.desk import open_desk

from clavero.control import keys
from clavero.control.commit import Desk, perform
from clavero.control.keys import KeyEdit, NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.errors import Problem
from clavero.domain.refusals import Refusal
from clavero.domain.tokens import Kind, mint

STRANGER = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal()
PROVIDER = "sk-proj-" + os.urandom(24).hex()


def pieces(token: str) -> list[str]:
    """Stretches of the secret part that no answer may hold."""
    secret = token[23:] if token.startswith("clv") else token[8:]
    return [secret[start : start + 8] for start in range(0, len(secret) - 8, 4)]


def everything(problem: Exception) -> str:
    return f"{problem} {problem!r} {problem.args} {vars(problem)}"


@pytest.mark.requirement(30, 33)
async def test_a_refused_key_is_not_said_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        issued = await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        own = issued.secret.reveal()
        await perform(desk, SYSTEM, keys.revoke, name="prod-mail-01")
        knock = await door(desk)
        for token in (own, STRANGER, PROVIDER):
            for sent in (token, token[:-1], token[:-1] + "0", token + "0", token.upper(), f" {token}", token * 4):
                problem = knock(sent)
                assert isinstance(problem, Problem)
                assert not [piece for piece in pieces(token) if piece in everything(problem)]


@pytest.mark.parametrize("token", [STRANGER, PROVIDER], ids=["ours", "a provider's"])
@pytest.mark.parametrize(
    "misplaced",
    [
        keys.show_key,
        lambda desk, token: perform(desk, SYSTEM, keys.revoke, name=token),
        lambda desk, token: perform(desk, SYSTEM, keys.create, wanted=NewKey(name=token, owner="asha")),
        lambda desk, token: perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner=token)),
        lambda desk, token: perform(
            desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="a", service=token)
        ),
        lambda desk, token: perform(
            desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="a", models=(token,))
        ),
        lambda desk, token: perform(
            desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="a", endpoints=(token,))
        ),
        lambda desk, token: perform(desk, SYSTEM, keys.update, name=token, edit=KeyEdit(owner="b")),
    ],
)
async def test_a_key_put_where_it_does_not_belong_is_refused_and_not_said_back(
    tmp_path: Path, token: str, misplaced: Callable[[Desk, str], object]
) -> None:
    async with open_desk(tmp_path) as desk:
        with pytest.raises(Refusal) as caught:
            await misplaced(desk, token)  # type: ignore[misc] # each of them is awaitable
        assert not [piece for piece in pieces(token) if piece in everything(caught.value)]
        await desk.store.close()
        assert token[23:].encode() not in everything_in(tmp_path)


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
