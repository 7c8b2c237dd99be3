import importlib
import pkgutil
from typing import get_type_hints

import msgspec

import clavero.domain
from clavero.domain.credentials import Credential
from clavero.domain.organisation import ORGANISATION
from clavero.domain.sealing import Purpose, SealedKey
from clavero.vault.columns import COLUMNS, Cell, credential_cell

CREDENTIAL = Credential(
    id="openai-2", provider="openai", version=2, origin="https://api.example:443", sealed=b"", last_four=""
)


def stored() -> set[type[msgspec.Struct]]:
    modules = [
        importlib.import_module(f"clavero.domain.{found.name}")
        for found in pkgutil.iter_modules(clavero.domain.__path__)
    ]
    kinds = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    return {kind for kind in kinds if issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct}


def test_every_sealed_field_of_the_schema_is_in_the_list() -> None:
    found = {
        (kind, name)
        for kind in stored()
        for name, hint in get_type_hints(kind).items()
        if "sealed" in name and hint is bytes
    }
    found.discard((SealedKey, "sealed"))  # the keyring's own rows: sealed by the root key, not through the barrier
    assert found == {(column.kind, column.field) for column in COLUMNS}


def test_a_credential_says_its_whole_cell() -> None:
    assert credential_cell(CREDENTIAL) == Cell(
        purpose=Purpose.CREDENTIAL, id="openai-2", version=2, origin="https://api.example:443", tenant=ORGANISATION
    )
