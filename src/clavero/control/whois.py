"""Whose key is this? From a secret, or a piece of one that turned up somewhere, to what it powers and who answers."""

from enum import StrEnum

from msgspec import Struct

from clavero.control.commit import Desk
from clavero.domain.clues import Clue, read_clue
from clavero.domain.credentials import Credential
from clavero.domain.keys import Key, KeyVersion, version_for
from clavero.domain.secret import Secret

MOST = 20


class By(StrEnum):
    """How a key was recognised, the surest first."""

    SECRET = "secret"  # noqa: S105 - how, not what: the digest of the whole key matches
    ID = "id"
    TAIL = "tail"
    NAME = "name"


class Match(Struct, frozen=True):
    """A virtual key that may be the one that was found; `version` is the one meant, 0 where that is not known."""

    key: Key
    by: By
    version: int = 0


class Found(Struct, frozen=True):
    """What fits, the surest first. `forged`: a whole key with an id of ours whose secret never was."""

    keys: tuple[Match, ...] = ()
    credentials: tuple[Credential, ...] = ()
    forged: bool = False


async def whois(desk: Desk, fragment: str) -> Found:
    """What a secret or a piece of one belongs to; `InvalidValue` for a text that can tell nothing."""
    clue = read_clue(fragment)
    async with desk.store.read() as look:
        if clue.token is not None:
            key = await look.get(Key, clue.kid)
            return _of_token(desk, key, clue.token) if key is not None else Found()
        ending = f'"last_four":"{clue.tail}"'  # as a version lies in its row
        name = clue.word.lower()
        rows = await look.rows("whois", kid=clue.kid, word=clue.word, name=name, ending=ending, most=MOST)
        keys = [await look.get(Key, str(row["id"])) for row in rows]
        matches = [match for key in keys if key is not None and (match := _match(key, clue)) is not None]
        credentials = [one for one in await look.find(Credential) if one.last_four == clue.tail]
    order = list(By)
    return Found(tuple(sorted(matches, key=lambda one: order.index(one.by))), tuple(credentials))


def _of_token(desk: Desk, key: Key, token: Secret) -> Found:
    """The key of a whole token, and which of its versions; none where only the public part is ours."""
    said = token.reveal()
    version = version_for(key, lambda one: desk.fingerprints.same(said, one.pepper, one.digest))
    if version is None:
        return Found((Match(key, By.ID),), forged=True)
    return Found((Match(key, By.SECRET, version.number),))


def _match(key: Key, clue: Clue) -> Match | None:
    """How a row fits."""
    if key.id == clue.kid or clue.word in key.id:
        return Match(key, By.ID, _number(key, clue.tail))
    if number := _number(key, clue.tail):
        return Match(key, By.TAIL, number)
    return Match(key, By.NAME) if clue.word.lower() in key.name else None


def _number(key: Key, tail: str) -> int:
    """The newest version that ends so; 0 for none."""
    found: KeyVersion | None = next((one for one in reversed(key.versions) if one.last_four == tail), None)
    return found.number if found is not None else 0
