"""Providers and the keys we hold with them."""

from enum import StrEnum

from msgspec import Struct


class ProviderKind(StrEnum):
    """Which dialects a provider speaks; see `FORMATS`."""

    OPENAI = "openai"
    OPENAI_LIKE = "openai_like"
    ANTHROPIC = "anthropic"
    SIMULATED = "simulated"


class Network(StrEnum):
    """Where a provider may live. Link-local and cloud-metadata addresses are refused always."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"


class Provider(Struct, frozen=True, kw_only=True):
    """Someone who answers calls. `base_url` ends before `/v1`; `models` are names or patterns with `*`."""

    name: str
    kind: ProviderKind
    base_url: str
    network: Network = Network.PUBLIC
    models: tuple[str, ...] = ()
    enabled: bool = True
    created_ns: int = 0


class Model(Struct, frozen=True, kw_only=True):
    """A name that callers may ask for, where it leads, and where to go when that fails.

    Optional: without one, a name goes to the first provider whose `models` match it.
    """

    name: str
    provider: str
    served: str
    fallback: str = ""  # another model name, or provider/model; "" for none
    created_ns: int = 0


class CredentialState(StrEnum):
    """A credential is in use or it is not."""

    ACTIVE = "active"
    RETIRED = "retired"


class Credential(Struct, frozen=True, kw_only=True):
    """One version of a provider's key. `sealed` opens only for `origin` (scheme://host:port)."""

    id: str
    provider: str
    version: int
    origin: str
    sealed: bytes
    last_four: str
    state: CredentialState = CredentialState.ACTIVE
    created_ns: int = 0


# Providers that everybody knows: a key for one is enough, it need not be declared first.
WELL_KNOWN = {
    "openai": Provider(
        name="openai",
        kind=ProviderKind.OPENAI,
        base_url="https://api.openai.com",
        models=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "text-embedding-*"),
    ),
    "anthropic": Provider(
        name="anthropic", kind=ProviderKind.ANTHROPIC, base_url="https://api.anthropic.com", models=("claude-*",)
    ),
}
