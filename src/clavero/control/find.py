"""Finding what a person named: by its name, or the nearest one in the refusal."""

import difflib
from collections.abc import Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from clavero.domain.keys import Key
from clavero.domain.refusals import NotFound

T = TypeVar("T", bound=Struct)


class Look(Protocol):
    """What a look at the store and a change in the making have in common."""

    async def get(self, kind: type[T], identity: str) -> T | None:
        """The object with this id."""
        ...

    async def find(self, kind: type[T], **equal: object) -> list[T]:
        """The objects whose fields have these values."""
        ...


async def named(look: Look, kind: type[T], name: str, word: str = "") -> T:
    """The object whose id is this name; `NotFound` with the nearest name. `word` is what people call its kind."""
    thing = await look.get(kind, name)
    if thing is None:
        known = (str(getattr(one, "name", "") or getattr(one, "id", "")) for one in await look.find(kind))
        raise NotFound(word or kind.__name__.lower(), name, nearest(name, known))
    return thing


async def key_named(look: Look, name: str) -> Key:
    """The key with this name or kid; `NotFound` with the nearest name."""
    found = await look.find(Key, name=name)
    key = found[0] if found else await look.get(Key, name)
    if key is None:
        raise NotFound("key", name, nearest(name, (one.name for one in await look.find(Key))))
    return key


def nearest(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant; "" where none is near."""
    return next(iter(difflib.get_close_matches(name[:80], list(known), 1, 0.6)), "")
