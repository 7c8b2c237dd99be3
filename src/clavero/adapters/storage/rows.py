"""How the frozen structs of the domain lie in tables: one table for each type, one column for each field.

Integers, texts, bytes and booleans stand as they are; everything else is JSON text. Workers read rows with this file
alone, so it knows no framework.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from clavero.domain.access import AdminToken, BootstrapLink, Session
from clavero.domain.audit import AuditRow
from clavero.domain.budgets import Budget
from clavero.domain.credentials import Credential, Model, Provider
from clavero.domain.keys import Key
from clavero.domain.members import Member
from clavero.domain.organisation import Environment, Project, Service, Team
from clavero.domain.pricing import Price
from clavero.domain.sealing import Rekey, SealedKey, SealNote

_PLAIN = (int, str, bytes, bool)

T = TypeVar("T", bound=Struct)


class Column:
    """One field: its name, how it lies in the table, and the type it has in the struct."""

    __slots__ = ("decode", "encode", "kind", "name")

    def __init__(self, name: str, hint: Any) -> None:
        self.name = name
        plain = _plain(hint)
        self.kind: type = plain if plain in _PLAIN else str
        self.encode: Callable[[Any], Any] = _same
        self.decode: Callable[[Any], Any] = plain
        if isinstance(plain, type) and issubclass(plain, StrEnum):
            self.encode = str
        elif plain not in _PLAIN:
            self.encode, self.decode = _to_json, msgspec.json.Decoder(hint).decode


class Stored:
    """A struct type and its table. `primary` is the field that names an object; the change log says it too."""

    __slots__ = ("columns", "names", "primary", "published", "table", "type")

    def __init__(self, kind: type[Struct], table: str, primary: str = "id", *, published: bool = False) -> None:
        self.type = kind
        self.table = table
        self.primary = primary
        self.published = published
        hints = get_type_hints(kind)
        self.columns = [Column(field.name, hints[field.name]) for field in msgspec.structs.fields(kind)]
        self.names = [column.name for column in self.columns]


def to_row(thing: Struct) -> dict[str, Any]:
    """The columns of an object."""
    return {column.name: column.encode(getattr(thing, column.name)) for column in BY_TYPE[type(thing)].columns}


def from_row(kind: type[T], row: Sequence[Any]) -> T:
    """The object in a row whose columns stand in the order of the fields."""
    columns = BY_TYPE[kind].columns
    return kind(**{column.name: column.decode(value) for column, value in zip(columns, row, strict=True)})


def identity(thing: Struct) -> str:
    """What an object is called in the change log."""
    return str(getattr(thing, BY_TYPE[type(thing)].primary))


def _plain(hint: Any) -> Any:
    """The type behind a NewType."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) in {Union, types.UnionType}:
        return get_args(hint)
    return hint


def _same(value: Any) -> Any:
    return value


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


REGISTRY = (
    Stored(Key, "virtual_key", published=True),
    Stored(Provider, "provider", "name", published=True),
    Stored(Credential, "credential", published=True),
    Stored(Model, "model", "name", published=True),
    Stored(Price, "price", published=True),
    Stored(Budget, "budget", published=True),
    Stored(Service, "service", "name", published=True),
    Stored(Team, "team", "name"),
    Stored(Project, "project", "name"),
    Stored(Environment, "environment", "name"),
    Stored(Member, "member", "name"),
    Stored(SealedKey, "sealed_key", published=True),
    Stored(Rekey, "vault_rekey"),
    Stored(SealNote, "vault_seal"),
    Stored(AdminToken, "admin_token"),
    Stored(BootstrapLink, "bootstrap_link"),
    Stored(Session, "session"),
    Stored(AuditRow, "audit", "seq"),
)
BY_TYPE: Mapping[type[Struct], Stored] = {stored.type: stored for stored in REGISTRY}
BY_KIND: Mapping[str, Stored] = {stored.table: stored for stored in REGISTRY}
