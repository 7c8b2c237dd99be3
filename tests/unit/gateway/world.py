"""A small world for the pure stages: keys with secrets made at run time, and a view that knows them."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from clavero.domain import tokens
from clavero.domain.credentials import Credential, Model, Network, Provider, ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.keys import Key, KeyVersion, Kid
from clavero.domain.organisation import Service
from clavero.domain.pricing import Price
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind
from clavero.gateway.trail import Trail
from clavero.gateway.view import View
from clavero.ports.client import Request
from clavero.testing.clock import LoadedDice, StoppedClock
from clavero.vault.fingerprint import Fingerprints

CLOCK = StoppedClock()
DICE = LoadedDice()
PRINTS = Fingerprints({1: b"p" * 32, 2: b"q" * 32})
SIM = Provider(
    name="sim", kind=ProviderKind.SIMULATED, base_url="http://127.0.0.1:1", network=Network.LOOPBACK,
    models=("gpt-*", "claude-*"),
)  # fmt: skip
CLAUDE = Provider(name="claude", kind=ProviderKind.ANTHROPIC, base_url="https://api.example", models=("haiku-*",))
SERVICE = Service(name="app", team="apps", project="copilot")
PRICES = [
    Price(id="openai/gpt-4o-mini", version="v1", input=150_000_000, output=600_000_000, max_output=16_384),
    Price(id="anthropic/haiku-1", version="v1", input=1_000_000_000, output=5_000_000_000, max_output=8_192),
]


class Client:
    """A caller that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def reply(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.heard.append((status, dict(headers), body))

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.heard.append((status, dict(headers)))

    def write(self, data: bytes) -> None:
        self.heard.append(data)

    def finish(self) -> None:
        self.heard.append("finish")

    def cut(self) -> None:
        self.heard.append("cut")

    def on_flow(self, pause: object, resume: object) -> None:
        """It reads as fast as it gets."""


def new_key(**more: Any) -> tuple[Key, str]:
    """A key with one version, and its secret."""
    kid, secret = tokens.mint(Kind.VIRTUAL_KEY, "prod", DICE.token)
    version = version_of(secret)
    facts: dict[str, Any] = {
        "id": kid, "name": "prod-app-chat-01", "owner": "asha", "service": "app", "environment": "prod",
        "versions": (version,), **more,
    }  # fmt: skip
    return Key(**facts), secret.reveal()


def another_secret(kid: Kid) -> Secret:
    """Another secret of the same key."""
    return tokens.mint_for(Kind.VIRTUAL_KEY, "prod", kid, DICE.token)


def version_of(secret: Secret, number: int = 1, pepper: int = 2, ends_ns: int = 0) -> KeyVersion:
    """What is stored of a secret."""
    return KeyVersion(number, PRINTS.digest(secret.reveal(), pepper), pepper, "xxxx", 0, ends_ns)


def view_of(*things: Struct, gone: list[str] | None = None) -> View:
    """A view of these, with the usual providers, credentials and prices unless others are given."""
    view = View(lambda credential: Secret("upstream-" + credential.id), (gone if gone is not None else []).append)
    usual = (SIM, CLAUDE, SERVICE, *PRICES, credential("sim"), credential("claude"))
    kinds = {type(one) for one in things}
    given = [*things, *(one for one in usual if type(one) not in kinds)]
    by_kind: dict[type[Struct], list[Struct]] = {Key: [], Model: []}
    for thing in given:
        by_kind.setdefault(type(thing), []).append(thing)
    view.load(1, by_kind)
    return view


def credential(provider: str, version: int = 1, **more: Any) -> Credential:
    """A sealed key of a provider."""
    return Credential(
        id=f"{provider}-{version}", provider=provider, version=version, origin="x", sealed=b"", last_four="", **more
    )


def request(headers: dict[str, str] | None = None, path: str = "/v1/chat/completions", body: bytes = b"{}") -> Request:
    """A request of now."""
    return Request("req_1", "POST", path, headers or {}, body, "127.0.0.1", CLOCK.wall_ns(), CLOCK.monotonic_ns())


def trail_of(headers: dict[str, str] | None = None, endpoint: Endpoint = Endpoint.CHAT, **more: Any) -> Trail:
    """A trail with these things known."""
    trail = Trail(request(headers), Client(), endpoint)
    for name, value in more.items():
        setattr(trail, name, value)
    return trail
