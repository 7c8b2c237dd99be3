"""The live view: what a worker knows of keys, routes, prices, budgets and credentials, in memory.

It is loaded once and then follows the change log. A revoked key leaves a tombstone: whatever is in flight, nothing
writes it back. Reading it costs no I/O and takes no lock: one thread, no await between look-up and use.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from msgspec import Struct

from clavero.domain.budgets import Budget, BudgetState, Subject
from clavero.domain.credentials import Credential, CredentialState, Model, Provider, ProviderKind
from clavero.domain.keys import Key, KeyState, Kid
from clavero.domain.organisation import ORGANISATION, Service
from clavero.domain.pricing import Price
from clavero.domain.routing import Prices, Target, targets
from clavero.domain.secret import Secret

_MOST_PLANS = 4096  # names that callers ask for; beyond it the memory starts afresh

_ALIVE = frozenset({KeyState.PENDING, KeyState.ACTIVE, KeyState.ROTATING})
_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})

T = TypeVar("T", bound=Struct)

Open = Callable[[Credential], Secret | None]  # None: it cannot be opened, which has been logged


class Grant(Struct, frozen=True):
    """A key and what follows from it: whom it works for and every budget that applies, widest first."""

    key: Key
    team: str
    project: str
    budgets: tuple[Budget, ...]


class View:
    """Everything that an exchange is decided on. `gone` hears of keys that ended."""

    def __init__(self, open_credential: Open, gone: Callable[[Kid], None] = lambda _kid: None) -> None:
        self.seq = 0
        self._open = open_credential
        self._gone = gone
        self._things: dict[type[Struct], dict[str, Struct]] = {}
        self._tombstones: set[str] = set()
        self._grants: dict[str, Grant] = {}
        self._plans: dict[str, tuple[Target, ...]] = {}
        self._secrets: dict[str, Secret] = {}
        self._credentials: dict[str, tuple[Credential, Secret]] = {}  # what each was opened from
        self._by_subject: dict[tuple[Subject, str], list[Budget]] = {}
        self._providers: list[Provider] = []
        self._prices = Prices([])

    def load(self, seq: int, things: Mapping[type[Struct], Sequence[Struct]]) -> None:
        """Take everything anew, as of a sequence number."""
        self._things = {
            kind: {identity(thing): thing for thing in rows if not (isinstance(thing, Key) and self._is_ghost(thing))}
            for kind, rows in things.items()
        }
        for kind in things:
            self._forget(kind)
        self.seq = seq

    def apply(self, seq: int, kind: type[Struct], wanted: Iterable[str], found: Sequence[Struct]) -> None:
        """Take what became of the `wanted` objects of a kind: those not `found` are gone."""
        rows = self._things.setdefault(kind, {})
        now = {identity(thing): thing for thing in found}
        for name in wanted:
            thing = now.get(name)
            if kind is Budget:
                self._swap_budget(cast("Budget | None", rows.get(name)), cast("Budget | None", thing))
            if thing is None:
                rows.pop(name, None)
            elif not (isinstance(thing, Key) and self._is_ghost(thing)):
                rows[name] = thing
            if kind is Key:
                self._grants.pop(name, None)
                self._tell_if_gone(name, thing)
        if kind not in {Key, Budget}:  # of these there are as many as keys, and each has its own place
            self._forget(kind)
        self.seq = max(self.seq, seq)

    def grant(self, kid: str) -> Grant | None:
        """What a key id stands for, compiled on first use."""
        grant = self._grants.get(kid)
        if grant is None and (key := self._of(Key).get(kid)) is not None:
            grant = self._grants[kid] = self._compile(key)
        return grant

    def targets(self, name: str) -> tuple[Target, ...]:
        """Where a model name leads; `ModelNotFound` with the nearest name."""
        plan = self._plans.get(name)
        if plan is None:
            plan = targets(name, self._of(Model), self._providers, self._prices)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[name] = plan
        return plan

    def secret(self, provider: str) -> Secret | None:
        """The unsealed credential of a provider; None where there is none."""
        return self._secrets.get(provider)

    def names(self) -> list[str]:
        """The model names that may be asked for: declared, named by a provider, or priced and matched by a pattern."""
        plain = [name for provider in self._providers for name in provider.models if not name.endswith("*")]
        open_ended = [name[:-1] for provider in self._providers for name in provider.models if name.endswith("*")]
        priced = [name for name in self._prices.models if name.startswith(tuple(open_ended))] if open_ended else []
        return sorted({*self._of(Model), *plain, *priced})

    @property
    def providers(self) -> Sequence[Provider]:
        """The providers that are enabled."""
        return self._providers

    def things(self, kind: type[Struct]) -> Iterable[Struct]:
        """Every object of a kind."""
        return self._things.get(kind, {}).values()

    def _of(self, kind: type[T]) -> dict[str, T]:
        return cast("dict[str, T]", self._things.get(kind, {}))

    def _is_ghost(self, key: Key) -> bool:
        """Whether this would bring back a key that is known to be over."""
        if key.state in _OVER:
            self._tombstones.add(key.id)
            return False
        return key.id in self._tombstones

    def _tell_if_gone(self, kid: str, thing: Struct | None) -> None:
        if thing is None or (isinstance(thing, Key) and thing.state not in _ALIVE):
            self._gone(Kid(kid))

    def _forget(self, kind: type[Struct]) -> None:
        """Throw away what was worked out from objects of this kind."""
        if kind in {Key, Budget, Service}:
            self._grants.clear()
        if kind is Budget:
            self._by_subject = {}
            for budget in self._of(Budget).values():
                if budget.state is BudgetState.OPEN:
                    self._by_subject.setdefault((budget.subject, budget.name), []).append(budget)
        if kind in {Model, Provider, Price}:
            self._plans.clear()
        if kind is Provider:
            enabled = [provider for provider in self._of(Provider).values() if provider.enabled]
            # A real provider comes before a simulated one that knows the same names.
            self._providers = sorted(enabled, key=lambda provider: provider.kind is ProviderKind.SIMULATED)
        if kind is Price:
            self._prices = Prices(self._of(Price).values())
        if kind is Credential:
            self._unseal()

    def _swap_budget(self, before: Budget | None, after: Budget | None) -> None:
        """Put what a budget is now in the place of what it was, and let those it binds be compiled anew."""
        budget = after or before
        if budget is None:
            return
        subject = (budget.subject, budget.name)
        others = [one for one in self._by_subject.pop(subject, []) if one.id != budget.id]
        if after is not None and after.state is BudgetState.OPEN:
            others.append(after)
        if others:
            self._by_subject[subject] = others
        if budget.subject is Subject.KEY:
            self._grants.pop(budget.name, None)
        else:
            self._grants.clear()

    def _unseal(self) -> None:
        """Keep the newest active credential of each provider, unsealed."""
        newest: dict[str, Credential] = {}
        for credential in self._of(Credential).values():
            known = newest.get(credential.provider)
            if credential.state is CredentialState.ACTIVE and (known is None or known.version < credential.version):
                newest[credential.provider] = credential
        opened = {provider: (credential, self._opened(credential)) for provider, credential in newest.items()}
        self._credentials = {provider: (one, secret) for provider, (one, secret) in opened.items() if secret}
        self._secrets = {provider: secret for provider, (_, secret) in self._credentials.items()}

    def _opened(self, credential: Credential) -> Secret | None:
        """The secret; one that was opened before, where nothing of the credential has changed."""
        known = self._credentials.get(credential.provider)
        return known[1] if known is not None and known[0] == credential else self._open(credential)

    def _compile(self, key: Key) -> Grant:
        service = self._of(Service).get(key.service)
        team, project = (service.team, service.project) if service else ("", "")
        subjects = (
            (Subject.ORGANISATION, ORGANISATION),
            (Subject.TEAM, team),
            (Subject.PROJECT, project),
            (Subject.ENVIRONMENT, key.environment),
            (Subject.SERVICE, key.service),
            (Subject.KEY, str(key.id)),
        )
        budgets = tuple(budget for subject in subjects for budget in self._by_subject.get(subject, ()))
        return Grant(key, team, project, budgets)


def identity(thing: Struct) -> str:
    """What an object is called in the change log: its `id`, or its name where that is its id."""
    return str(getattr(thing, "id", None) or getattr(thing, "name", ""))
