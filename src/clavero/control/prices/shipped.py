"""Reads the list that ships with clavero; a price that an operator sets stands above it and is not this module's."""

from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.pricing import Price


class Shipped(Struct, frozen=True):
    """The list: its version is its date; sources name what it was made from."""

    version: str
    sources: list[dict[str, str]]
    prices: list[dict[str, Any]]


def shipped() -> tuple[Price, ...]:
    """Every price of the list, in its order: where several providers have a model, its maker comes first."""
    whole = document()
    return tuple(msgspec.convert({**entry, "version": whole.version}, Price) for entry in whole.prices)


def document() -> Shipped:
    """The file as it is."""
    return msgspec.json.decode(files(__package__).joinpath("catalogue.json").read_bytes(), type=Shipped)
