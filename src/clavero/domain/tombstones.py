"""What was ended for ever, noted beside the database: a backup from before must not bring it back to life."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from clavero.domain.access import AdminToken
from clavero.domain.credentials import Credential, CredentialState
from clavero.domain.keys import Key, KeyState

_OVER = (KeyState.REVOKED, KeyState.RETIRED)


class Tombstone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One end. `kind` is key, version, token or credential; `version` and `ends_ns` are a rotated version's."""

    kind: str
    id: str
    at_ns: int
    version: int = 0
    ends_ns: int = 0
    reason: str = ""


def tombstones(changes: Iterable[tuple[Struct | None, Struct | None]], at_ns: int) -> list[Tombstone]:
    """The ends in some changes, each an object as it was before and after."""
    return [stone for before, after in changes for stone in _of(before, after, at_ns)]


def laid(thing: Struct, stone: Tombstone) -> Struct | None:
    """The object as the tombstone wants it; None where it is so already, or is another thing."""
    match thing:
        case Key() if stone.kind == "key" and thing.state not in _OVER:
            return replace(thing, state=KeyState.REVOKED, reason=stone.reason)
        case Key() if stone.kind == "version":
            versions = tuple(
                replace(one, ends_ns=stone.ends_ns)
                if one.number == stone.version and _outlives(one.ends_ns, stone)
                else one
                for one in thing.versions
            )
            return replace(thing, versions=versions) if versions != thing.versions else None
        case AdminToken() if stone.kind == "token" and not thing.ended_ns:
            return replace(thing, ended_ns=stone.at_ns)
        case Credential() if stone.kind == "credential" and thing.state is not CredentialState.RETIRED:
            return replace(thing, state=CredentialState.RETIRED)
        case _:
            return None


def kind_of(stone: Tombstone) -> type[Struct] | None:
    """What kind of object lies under it; None for a kind that we do not know."""
    kinds: dict[str, type[Struct]] = {"key": Key, "version": Key, "token": AdminToken, "credential": Credential}
    return kinds.get(stone.kind)


def _of(before: Struct | None, after: Struct | None, at_ns: int) -> Iterator[Tombstone]:
    match after:
        case Key():
            was = before if isinstance(before, Key) else None
            if after.state in _OVER and (was is None or was.state not in _OVER):
                yield Tombstone(kind="key", id=after.id, at_ns=at_ns, reason=after.reason)
            ended = {one.number: one.ends_ns for one in was.versions} if was else {}
            for one in after.versions:
                if one.ends_ns and one.ends_ns != ended.get(one.number):
                    yield Tombstone(kind="version", id=after.id, at_ns=at_ns, version=one.number, ends_ns=one.ends_ns)
        case AdminToken() if after.ended_ns:
            yield Tombstone(kind="token", id=after.id, at_ns=at_ns)
        case Credential() if after.state is CredentialState.RETIRED:
            yield Tombstone(kind="credential", id=after.id, at_ns=at_ns)
        case _:
            return


def _outlives(ends_ns: int, stone: Tombstone) -> bool:
    return not ends_ns or ends_ns > stone.ends_ns
