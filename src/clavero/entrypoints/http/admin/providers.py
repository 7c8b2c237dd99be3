"""Providers, the keys that we hold with them, and the names of models that lead there."""

from typing import Annotated

from fastapi import Depends, status

from clavero.control import credentials
from clavero.control.credentials import ProviderEdit
from clavero.control.find import named
from clavero.domain.credentials import Credential, CredentialState, Model, Network, Provider, ProviderKind
from clavero.domain.secret import Secret
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Names, Reasoned, Text, View, edit_of, moment

routes = router("providers")
Reader = Annotated[Caller, Depends(Needs("provider.read"))]
CredentialReader = Annotated[Caller, Depends(Needs("credential.read"))]
ModelReader = Annotated[Caller, Depends(Needs("model.read"))]


class CredentialView(View):
    """A provider's key as far as anybody sees it: never its value. It opens for `origin` alone."""

    id: str
    provider: str
    version: int
    origin: str
    last_four: str
    state: CredentialState
    created_at: Moment


class ProviderView(View):
    """A provider and its keys in use, newest first."""

    name: str
    kind: ProviderKind
    base_url: str
    network: Network
    models: tuple[str, ...]
    enabled: bool
    created_at: Moment
    credentials: list[CredentialView]


class ChangedView(ProviderView):
    """A provider after a change, and the keys that it retired: they were sealed for the former origin."""

    retired: list[CredentialView]


class ProvidersView(View):
    """Every provider, by name."""

    providers: list[ProviderView]


class CredentialsView(View):
    """Every credential, newest version of a provider first."""

    credentials: list[CredentialView]


class ModelView(View):
    """A declared name: where it leads, and where to go when that fails."""

    name: str
    provider: str
    served: str
    fallback: str
    created_at: Moment


class ModelsView(View):
    """Every declared name."""

    models: list[ModelView]


class NewProviderBody(Reasoned):
    """A provider: `base_url` ends before `/v1`; `models` are names, or patterns that end in `*`."""

    name: Text
    kind: ProviderKind
    base_url: Text
    network: Network = Network.PUBLIC
    models: Names = ()


class ProviderEditBody(Reasoned):
    """What changes of a provider; another origin retires its keys."""

    kind: ProviderKind | None = None
    base_url: Text | None = None
    network: Network | None = None
    models: Names | None = None


class CredentialBody(Reasoned):
    """A provider's key, to be sealed; it is never answered."""

    secret: str


class ModelBody(Reasoned):
    """Where a name leads; an empty `served` is the name itself."""

    provider: Text
    served: Text = ""
    fallback: Text = ""


# --- providers


@routes.get("/providers")
async def list_providers(caller: Reader) -> ProvidersView:
    """Every provider, with its keys in use."""
    found = await credentials.list_providers(caller.desk)
    active = await credentials.list_credentials(caller.desk, state=CredentialState.ACTIVE)
    return ProvidersView(providers=[_provider(one, active) for one in found])


@routes.post("/providers", status_code=status.HTTP_201_CREATED)
async def add_provider(
    caller: Annotated[Caller, Depends(Needs("provider.add"))], body: NewProviderBody
) -> ProviderView:
    """Make a provider; calls go there once it has a credential."""
    provider = Provider(
        name=body.name, kind=body.kind, base_url=body.base_url, network=body.network, models=body.models
    )
    return _provider(await caller.do(credentials.add_provider, provider=provider, reason=body.reason), [])


@routes.get("/providers/{name}")
async def show_provider(caller: Reader, name: str) -> ProviderView:
    """One provider."""
    return await _told(caller, name)


@routes.patch("/providers/{name}")
async def update_provider(
    caller: Annotated[Caller, Depends(Needs("provider.update"))], name: str, body: ProviderEditBody
) -> ChangedView:
    """Change a provider; keys that a new origin retired are named, their secrets are needed again."""
    edit = edit_of(ProviderEdit, body)
    changed = await caller.do(credentials.update_provider, name=name, edit=edit, reason=body.reason)
    told = await _told(caller, name)
    return ChangedView(**dict(told), retired=[credential_view(one) for one in changed.retired])


@routes.delete("/providers/{name}")
async def remove_provider(
    caller: Annotated[Caller, Depends(Needs("provider.remove"))], name: str, reason: Text = ""
) -> ProviderView:
    """Remove a provider and its keys; refused while a model leads to it."""
    return _provider(await caller.do(credentials.remove_provider, name=name, reason=reason), [])


@routes.post("/providers/{name}/enable")
async def enable_provider(
    caller: Annotated[Caller, Depends(Needs("provider.enable"))], name: str, body: Reasoned | None = None
) -> ProviderView:
    """Let calls go to a provider again."""
    await caller.do(credentials.enable_provider, name=name, reason=body.reason if body else "")
    return await _told(caller, name)


@routes.post("/providers/{name}/disable")
async def disable_provider(
    caller: Annotated[Caller, Depends(Needs("provider.disable"))], name: str, body: Reasoned | None = None
) -> ProviderView:
    """Let no call go to a provider."""
    await caller.do(credentials.disable_provider, name=name, reason=body.reason if body else "")
    return await _told(caller, name)


# --- credentials


@routes.post("/providers/{name}/credential", status_code=status.HTTP_201_CREATED)
async def add_credential(
    caller: Annotated[Caller, Depends(Needs("credential.add"))], name: str, body: CredentialBody
) -> CredentialView:
    """Seal a provider's key; it is used from then on."""
    secret = Secret(body.secret)
    return credential_view(
        await caller.do(credentials.add_credential, provider=name, secret=secret, reason=body.reason)
    )


@routes.get("/credentials")
async def list_credentials(caller: CredentialReader, provider: Text = "") -> CredentialsView:
    """Every credential; those of one provider."""
    equal = {"provider": provider} if provider else {}
    found = await credentials.list_credentials(caller.desk, **equal)
    return CredentialsView(credentials=[credential_view(one) for one in found])


@routes.delete("/credentials/{credential}")
async def remove_credential(
    caller: Annotated[Caller, Depends(Needs("credential.remove"))], credential: str, reason: Text = ""
) -> CredentialView:
    """Retire a credential and forget its secret."""
    return credential_view(await caller.do(credentials.remove_credential, credential_id=credential, reason=reason))


# --- models


@routes.get("/models")
async def list_models(caller: ModelReader) -> ModelsView:
    """Every declared name."""
    return ModelsView(models=[_model(one) for one in await credentials.list_models(caller.desk)])


@routes.put("/models/{name:path}")
async def set_model(caller: Annotated[Caller, Depends(Needs("model.set"))], name: str, body: ModelBody) -> ModelView:
    """Declare where a name leads, or change it."""
    model = Model(name=name, provider=body.provider, served=body.served or name, fallback=body.fallback)
    return _model(await caller.do(credentials.set_model, model=model, reason=body.reason))


@routes.delete("/models/{name:path}")
async def remove_model(
    caller: Annotated[Caller, Depends(Needs("model.remove"))], name: str, reason: Text = ""
) -> ModelView:
    """Remove a declared name; refused while it is another one's fallback."""
    return _model(await caller.do(credentials.remove_model, name=name, reason=reason))


# --- telling


async def _told(caller: Caller, name: str) -> ProviderView:
    async with caller.desk.store.read() as look:
        provider = await named(look, Provider, name)
    return _provider(provider, await credentials.list_credentials(caller.desk, state=CredentialState.ACTIVE))


def _provider(provider: Provider, active: list[Credential]) -> ProviderView:
    return ProviderView(
        name=provider.name,
        kind=provider.kind,
        base_url=provider.base_url,
        network=provider.network,
        models=provider.models,
        enabled=provider.enabled,
        created_at=moment(provider.created_ns),
        credentials=[credential_view(one) for one in active if one.provider == provider.name],
    )


def credential_view(credential: Credential) -> CredentialView:
    """A provider's key as it is told."""
    return CredentialView(
        id=credential.id,
        provider=credential.provider,
        version=credential.version,
        origin=credential.origin,
        last_four=credential.last_four,
        state=credential.state,
        created_at=moment(credential.created_ns),
    )


def _model(model: Model) -> ModelView:
    return ModelView(
        name=model.name,
        provider=model.provider,
        served=model.served,
        fallback=model.fallback,
        created_at=moment(model.created_ns),
    )
