"""Every column that holds a sealed value, in one typed list; `barrier` takes nothing else.

A test walks the stored structs: a field of bytes that is called `sealed` and is not in this list fails it.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import Struct

from clavero.domain.credentials import Credential
from clavero.domain.organisation import ORGANISATION
from clavero.domain.sealing import Purpose

T = TypeVar("T", bound=Struct)


class Cell(Struct, frozen=True, kw_only=True):
    """Where one sealed value stands. All of it goes into the additional data: no cell opens in another's place."""

    purpose: Purpose
    id: str
    version: int
    origin: str = ""  # scheme://host:port that the secret may be sent to
    tenant: str = ORGANISATION


class Column(Struct, Generic[T], frozen=True):
    """One sealed column: the struct, its field, and how an object of it says its cell."""

    kind: type[T]
    field: str
    cell: Callable[[T], Cell]


def credential_cell(credential: Credential) -> Cell:
    """The cell of a provider's key."""
    return Cell(purpose=Purpose.CREDENTIAL, id=credential.id, version=credential.version, origin=credential.origin)


COLUMNS: tuple[Column[Any], ...] = (Column(Credential, "sealed", credential_cell),)
