"""Why would this call be refused? The stages rehearsed on what is stored: what on-call asks at three."""

from collections.abc import Iterator

from msgspec import Struct

from clavero.control.budgets import Standing, binding, standings_of
from clavero.control.commit import Desk
from clavero.control.find import key_named
from clavero.domain.credentials import Credential, CredentialState, Model, Provider
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import Problem
from clavero.domain.keys import Key, newest, standing, state_at
from clavero.domain.money import to_usd
from clavero.domain.organisation import Service
from clavero.domain.pricing import Bound, Price, worst_case
from clavero.domain.routing import Prices, Target, may_ask, may_reach, targets

_USUAL_INPUT = 1_000  # tokens of the call that is rehearsed


class Step(Struct, frozen=True):
    """What one stage would say; it refuses where it has a code."""

    stage: str
    text: str
    code: str = ""
    fix: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call would go on."""
        return not self.code


class _Facts(Struct):
    key: Key
    service: Service | None
    providers: list[Provider]
    models: dict[str, Model]
    prices: Prices
    credentials: set[str]
    budgets: list[Standing]


async def why(desk: Desk, key: str, model: str, endpoint: Endpoint = Endpoint.CHAT, max_tokens: int = 0) -> list[Step]:
    """The stages in their order, up to the first that refuses; `NotFound` for an unknown key."""
    facts = await _facts(desk, key)
    steps: list[Step] = []
    for step in _rehearse(facts, model, endpoint, max_tokens or facts.key.default_output_tokens, desk.clock.wall_ns()):
        steps.append(step)
        if not step.ok:
            break
    return steps


def _rehearse(facts: _Facts, model: str, endpoint: Endpoint, output: int, now_ns: int) -> Iterator[Step]:
    key = facts.key
    problem = standing(key, newest(key), now_ns)
    yield _said("key", problem, str(state_at(key, now_ns)), f"clavero key show {key.name}")
    allowed = not key.endpoints or endpoint in key.endpoints
    if not allowed:
        fix = f"clavero key update {key.name} --add-endpoint {endpoint}"
        yield Step("endpoint", f"{endpoint} is not in scope ({', '.join(key.endpoints)})", "endpoint_not_allowed", fix)
        return
    yield Step("endpoint", endpoint)
    if not may_ask(model, key.models):
        yield _out_of_scope(key, model)
        return
    yield Step("model", f"{model} is in scope")
    try:
        found = targets(model, facts.models, facts.providers, facts.prices)
    except Problem as unknown:
        yield _said("route", unknown, "", "clavero model list")
        return
    for target in found:
        if not may_reach(target, key.models):
            yield _out_of_scope(key, target.served)
            return
    yield _credential(facts, found)
    yield from _money(facts, found[0], output)


def _credential(facts: _Facts, found: tuple[Target, ...]) -> Step:
    names = " → ".join(f"{target.provider.name}/{target.served}" for target in found)
    missing = [target.provider.name for target in found if target.provider.name not in facts.credentials]
    if len(missing) == len(found):
        fix = f"clavero credential add {missing[0]} --from env:NAME"
        return Step("route", f"{missing[0]} has no credential", "no_credential", fix)
    return Step("route", names)


def _money(facts: _Facts, target: Target, output: int) -> Iterator[Step]:
    applying = facts.budgets
    if target.price is None:
        fix = f"clavero price set {target.provider.name}/{target.served}"
        text = f"{target.served} has no price"
        yield Step("price", text, "unpriced_model", fix) if applying else Step("price", text)
        return
    yield Step("price", f"{target.price.id} of {target.price.version}")
    worst = _worst(target.price, output)
    for one in applying:
        left = max(0, one.budget.limit_n - one.spent_n - one.held_n - one.lost_n)
        text = f"{one.label}: ${to_usd(left, 4)} left, this call may cost ${to_usd(worst, 6)}"
        fits = left >= worst
        fix = "" if fits else f"clavero budget set {one.label} --limit AMOUNT, or send a smaller max_tokens"
        yield Step("budget", text, "" if fits else "insufficient_quota", fix)


def _worst(price: Price, output: int) -> int:
    return worst_case(price, Bound(_USUAL_INPUT), min(output, price.max_output) if price.max_output else output)


def _out_of_scope(key: Key, model: str) -> Step:
    fix = f"clavero key update {key.name} --add-model {model}"
    return Step("model", f"{model} is not in scope ({', '.join(key.models)})", "model_not_allowed", fix)


def _said(stage: str, problem: Problem | None, otherwise: str, fix: str) -> Step:
    if problem is None:
        return Step(stage, otherwise)
    guess = problem.facts.get("guess")
    return Step(stage, str(problem), problem.code, f"Try {guess}" if guess else fix)


async def _facts(desk: Desk, name: str) -> _Facts:
    async with desk.store.read() as look:
        key = await key_named(look, name)
        service = await look.get(Service, key.service)
        return _Facts(
            key=key,
            service=service,
            providers=await look.find(Provider),
            models={model.name: model for model in await look.find(Model)},
            prices=Prices(await look.find(Price)),
            credentials={one.provider for one in await look.find(Credential) if one.state is CredentialState.ACTIVE},
            budgets=await standings_of(desk, binding(key, service)),
        )
