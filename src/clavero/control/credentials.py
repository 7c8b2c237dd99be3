"""Providers, the keys we hold with them, and the names that lead there.

A provider's key is sealed for the origin of its provider (`scheme://host:port`): it cannot be opened for another. So a
base URL that moves to another origin retires every key that was sealed for the old one, and says which.
"""
# ruff: noqa: ARG001 - the reason is the audit's

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import named
from clavero.domain import scopes
from clavero.domain.credentials import WELL_KNOWN, Credential, CredentialState, Model, Network, Provider, ProviderKind
from clavero.domain.names import is_plain
from clavero.domain.origins import read_origin
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, NotFound
from clavero.domain.routing import matches
from clavero.domain.secret import Secret, last_four
from clavero.domain.tokens import base62
from clavero.vault.columns import credential_cell

_ID = 12


class ProviderEdit(Struct, frozen=True, kw_only=True):
    """What changes of a provider."""

    kind: ProviderKind | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    network: Network | UnsetType = UNSET
    models: tuple[str, ...] | UnsetType = UNSET


class Changed(Struct, frozen=True):
    """A provider after a change, and the credentials that it retired: their secrets are needed again."""

    provider: Provider
    retired: tuple[Credential, ...] = ()


# --- providers


@operation("provider.add")
async def add_provider(change: Changing, *, provider: Provider, reason: str = "") -> Provider:
    """A new provider; its base URL is stored in one form."""
    if not is_plain(provider.name):
        raise InvalidValue("name", "words of a-z and 0-9 with hyphens between, at most 63 characters")
    if await change.get(Provider, provider.name) is not None:
        raise AlreadyExists("provider", provider.name)
    provider = replace(_checked(provider), created_ns=change.now_ns)
    await change.put(provider)
    return provider


@operation("provider.update")
async def update_provider(change: Changing, *, name: str, edit: ProviderEdit, reason: str = "") -> Changed:
    """Change a provider; a new origin retires its credentials."""
    before = await named(change, Provider, name)
    given = {field: value for field in edit.__struct_fields__ if (value := getattr(edit, field)) is not UNSET}
    provider = _checked(replace(before, **given))
    origin = _origin(provider)
    moved = [one for one in await _active(change, name) if one.origin != origin]
    await change.put(provider)
    retired = tuple([await _retire(change, one) for one in moved])
    return Changed(provider, retired)


@operation("provider.remove")
async def remove_provider(change: Changing, *, name: str, reason: str = "") -> Provider:
    """Remove a provider and its credentials; refused while a model leads to it."""
    provider = await named(change, Provider, name)
    for model in await change.find(Model):
        if name in {model.provider, _prefix(model.fallback)}:
            raise InUse("provider", name, f"model {model.name}")
    await change.delete(Provider, name)
    for credential in await change.find(Credential, provider=name):
        await change.delete(Credential, credential.id)
    return provider


@operation("provider.enable")
async def enable_provider(change: Changing, *, name: str, reason: str = "") -> Provider:
    """Let calls go to a provider again."""
    return await _switch(change, name, enabled=True)


@operation("provider.disable")
async def disable_provider(change: Changing, *, name: str, reason: str = "") -> Provider:
    """Let no call go to a provider."""
    return await _switch(change, name, enabled=False)


# --- credentials


@operation("credential.add")
async def add_credential(change: Changing, *, provider: str, secret: Secret, reason: str = "") -> Credential:
    """Seal a provider's key for its origin; it is used from then on, older versions stay behind it.

    A well-known provider that is not there yet comes with its first key.
    """
    holder = await _holder(change, provider)
    secret = scopes.provider_secret(secret)
    versions = [one.version for one in await change.find(Credential, provider=provider)]
    credential = Credential(
        id=await _free_id(change),
        provider=provider,
        version=max(versions, default=0) + 1,
        origin=_origin(holder),
        sealed=b"",
        last_four=last_four(secret),
        created_ns=change.now_ns,
    )
    barrier = await change.desk.vault.barrier(change)
    credential = replace(credential, sealed=barrier.seal(secret, credential_cell(credential)))
    await change.put(credential)
    return credential


async def _holder(change: Changing, name: str) -> Provider:
    known = WELL_KNOWN.get(name)
    if known is None or await change.get(Provider, name) is not None:
        return await named(change, Provider, name)
    holder = replace(known, created_ns=change.now_ns)
    await change.put(holder)
    return holder


@operation("credential.remove")
async def remove_credential(change: Changing, *, credential_id: str, reason: str = "") -> Credential:
    """Retire a credential and forget its secret; its number is never given again."""
    return await _retire(change, await named(change, Credential, credential_id))


# --- models


@operation("model.set")
async def set_model(change: Changing, *, model: Model, reason: str = "") -> Model:
    """Declare where a name leads, and where to go when that fails."""
    scopes.model(model.name)
    scopes.model(model.served, "served")
    await named(change, Provider, model.provider)
    if model.fallback:
        await _check_fallback(change, model)
    before = await change.get(Model, model.name)
    model = replace(model, created_ns=before.created_ns if before else change.now_ns)
    await change.put(model)
    return model


@operation("model.remove")
async def remove_model(change: Changing, *, name: str, reason: str = "") -> Model:
    """Remove a declared name; refused while it is another one's fallback."""
    model = await named(change, Model, name)
    for other in await change.find(Model, fallback=name):
        if other.name != name:
            raise InUse("model", name, f"model {other.name}")
    await change.delete(Model, name)
    return model


# --- looking


async def list_providers(desk: Desk) -> list[Provider]:
    """Every provider, by name."""
    async with desk.store.read() as look:
        return await look.find(Provider)


async def list_credentials(desk: Desk, **equal: object) -> list[Credential]:
    """The credentials whose fields have these values, newest version of a provider first."""
    async with desk.store.read() as look:
        found = await look.find(Credential, **equal)
    return sorted(found, key=lambda one: (one.provider, -one.version))


async def list_models(desk: Desk) -> list[Model]:
    """Every declared name."""
    async with desk.store.read() as look:
        return await look.find(Model)


# --- rules


def _checked(provider: Provider) -> Provider:
    found = read_origin(provider.base_url, provider.network)
    return replace(provider, base_url=found.base_url, models=scopes.models(provider.models))


def _origin(provider: Provider) -> str:
    return read_origin(provider.base_url, provider.network).origin


async def _active(change: Changing, provider: str) -> list[Credential]:
    found = await change.find(Credential, provider=provider, state=CredentialState.ACTIVE.value)
    return sorted(found, key=lambda one: one.version)


async def _retire(change: Changing, credential: Credential) -> Credential:
    """The row stays, so that its version is never used again; the sealed secret goes."""
    retired = replace(credential, state=CredentialState.RETIRED, sealed=b"")
    await change.put(retired)
    return retired


async def _switch(change: Changing, name: str, *, enabled: bool) -> Provider:
    provider = replace(await named(change, Provider, name), enabled=enabled)
    await change.put(provider)
    return provider


async def _free_id(change: Changing) -> str:
    """An id that no credential ever had: an old envelope put back would otherwise fit a new cell."""
    while True:
        identity = base62(int.from_bytes(change.desk.dice.token(16)) % 62**_ID, _ID)
        if await change.get(Credential, identity) is None:
            return identity


async def _check_fallback(change: Changing, model: Model) -> None:
    """A fallback is another declared name, `provider/model`, or a name that some provider's patterns match."""
    scopes.model(model.fallback, "fallback")
    if model.fallback == model.name:
        raise InvalidValue("fallback", "another name than the model's own")
    if await change.get(Model, model.fallback) or await change.get(Provider, _prefix(model.fallback)):
        return
    if not any(matches(model.fallback, one.models) for one in await change.find(Provider)):
        raise NotFound("model", model.fallback)


def _prefix(name: str) -> str:
    """The provider that a name says; "" where it says none."""
    provider, slash, _ = name.replace(":", "/", 1).partition("/")
    return provider if slash else ""
