"""The control plane's store in memory: what both databases do, without one.

It passes the same contract suite. It keeps objects, change log and audit trail; with a `MemoryLedger` it also tells
that of budgets. It keeps no usage: a question about usage is a `KeyError` here.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from clavero.adapters.storage.rows import BY_TYPE, identity, to_row
from clavero.domain.audit import BEGINNING, AuditRow
from clavero.domain.budgets import Budget, BudgetId, BudgetState
from clavero.domain.keys import Key
from clavero.domain.refusals import Conflict, InvalidValue, StorageUnavailable
from clavero.testing.lender import MemoryLedger

T = TypeVar("T", bound=Struct)
Things = dict[type[Struct], dict[str, Struct]]
Row = dict[str, Any]

_NUMBERS = range(-(1 << 63), 1 << 63)


class State(Struct, frozen=True):
    """Everything, as of one commit; a commit makes another one."""

    things: Things
    log: tuple[Row, ...] = ()


class MemoryReading:
    """A look at one state."""

    def __init__(self, state: State, ledger: MemoryLedger | None) -> None:
        self._things = state.things
        self._log = list(state.log)
        self._ledger = ledger
        self._questions: Mapping[str, Callable[..., list[Row]]] = {
            "meta": self._meta,
            "change_log_all": self._change_log,
            "published_seq": lambda: [{"seq": len(self._log)}],
            "other_homes": lambda **_who: [{"homes": 0}],
            "audit_since": self._audit_since,
            "audit_newest": self._audit_newest,
            "kept_since": self._kept_since,
            "key_names": self._key_names,
            "ledger_rows": self._ledger_rows,
            "budget_rows": self._budget_rows,
            "budget_row": self._budget_row,
        }

    async def get(self, kind: type[T], identity: str) -> T | None:
        """The object with this id."""
        return self._all(kind).get(str(identity))

    async def find(self, kind: type[T], **equal: object) -> list[T]:
        """The objects whose fields have these values, in the order of their ids."""
        unknown = equal.keys() - set(BY_TYPE[kind].names)
        if unknown:
            raise AttributeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        primary = BY_TYPE[kind].primary
        found = [one for one in self._all(kind).values() if all(getattr(one, name) == equal[name] for name in equal)]
        return sorted(found, key=lambda one: getattr(one, primary))

    async def rows(self, query: str, **values: object) -> list[Row]:
        """Rows of a named query; KeyError for one that this twin does not know."""
        return self._questions[query](**values)

    def _all(self, kind: type[T]) -> dict[str, T]:
        return self._things.get(kind, {})  # type: ignore[return-value] # each kind has its own

    def _meta(self) -> list[Row]:
        return [
            {"name": "schema", "value": "1"},
            {"name": "instance", "value": "0" * 32},
            {"name": "epoch", "value": "1"},
        ]

    def _change_log(self) -> list[Row]:
        return [{name: row[name] for name in ("seq", "kind", "id")} for row in self._log]

    def _audit(self) -> list[AuditRow]:
        return sorted(self._all(AuditRow).values(), key=lambda row: row.seq)

    def _audit_since(self, after: int, most: int) -> list[Row]:
        return [msgspec.structs.asdict(row) for row in self._audit() if row.seq > after][:most]

    def _audit_newest(self, most: int) -> list[Row]:
        return [msgspec.structs.asdict(row) for row in reversed(self._audit())][:most]

    def _kept_since(self, action: str, actor: str, what: str, since_ns: int) -> list[Row]:
        wanted = (action, actor, what)
        found = (row for row in self._audit() if (row.action, row.actor, row.object_id) == wanted)
        return [{"seq": row.seq} for row in found if row.at_ns > since_ns][:1]

    def _key_names(self) -> list[Row]:
        named = {budget.name for budget in self._all(Budget).values() if budget.subject == "key"}
        return [{"id": key.id, "name": key.name} for key in self._all(Key).values() if key.id in named]

    def _ledger_rows(self, since: int) -> list[Row]:
        rows = self._ledger.rows if self._ledger else {}
        return [
            {
                "budget_id": key.budget, "period_start": key.period, "limit_n": row.limit, "posted": row.posted,
                "leased": row.leased, "lost": row.lost, "excess": row.excess, "state": row.life.value,
            }
            for key, row in rows.items() if key.period >= since
        ]  # fmt: skip

    def _budget_rows(self, **starts: int) -> list[Row]:
        now = {one.id: starts.get(f"{one.window}_start", 0) for one in self._all(Budget).values()}
        return [row for row in self._ledger_rows(0) if now.get(row["budget_id"]) == row["period_start"]]

    def _budget_row(self, budget: str, start: int) -> list[Row]:
        return [row for row in self._ledger_rows(start) if (row["budget_id"], row["period_start"]) == (budget, start)]


class MemoryWriting(MemoryReading):
    """A transaction: it changes a copy, which the store takes over at the commit."""

    def __init__(self, state: State, ledger: MemoryLedger | None) -> None:
        super().__init__(State({kind: dict(things) for kind, things in state.things.items()}, state.log), ledger)
        self.effects: list[Callable[[], None]] = []

    @property
    def state(self) -> State:
        """What it has become."""
        return State(self._things, tuple(self._log))

    def name_of(self, thing: Struct) -> tuple[str, str]:
        """The kind and id of an object."""
        return BY_TYPE[type(thing)].table, identity(thing)

    async def put(self, thing: Struct) -> None:
        """Create or replace."""
        await self.put_all([thing])

    async def put_all(self, things: Sequence[Struct]) -> None:
        """Create or replace objects of one kind."""
        for thing in things:
            _check(thing)
            if isinstance(thing, Key) and any(
                one.name == thing.name and one.id != thing.id for one in self._all(Key).values()
            ):
                raise Conflict("Somebody changed it meanwhile", "Show it, then change it again")
            self._things.setdefault(type(thing), {})[identity(thing)] = thing
            if isinstance(thing, Budget) and self._ledger and thing.state is BudgetState.OPEN:
                self.effects.append(lambda ledger=self._ledger, budget=thing: ledger.add(budget))  # type: ignore[misc] # bound now

    async def delete(self, kind: type[Struct], identity: str) -> None:
        """Remove."""
        self._things.get(kind, {}).pop(identity, None)

    async def log(self, kind: str, identity: str, at_ns: int) -> None:
        """Add a row to the change log."""
        await self.log_all([(kind, identity)], at_ns)

    async def log_all(self, names: Sequence[tuple[str, str]], at_ns: int) -> None:
        """Add rows to the change log."""
        for kind, name in names:
            self._log.append({"seq": len(self._log) + 1, "kind": kind, "id": name, "at_ns": at_ns})

    async def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest audit row."""
        rows = self._audit()
        return (rows[-1].seq, rows[-1].hash) if rows else (0, BEGINNING)

    async def run(self, statement: str, **values: Any) -> None:
        """Run a named statement on the ledger, at the commit."""
        if self._ledger is not None:
            budget, ledger = BudgetId(values["budget"]), self._ledger
            if statement == "apply_limit":
                self.effects.append(lambda: ledger.apply_limit(budget, values["limit"]))
            else:
                self.effects.append(lambda: ledger.delete(budget))


class MemoryStore:
    """The store. `away` makes it unreachable; `committed` is notified at each commit."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.state = State({})
        self.away = False
        self.committed = threading.Condition()
        self._ledger = ledger
        self._writer = asyncio.Lock()

    async def open(self) -> None:
        """Nothing to make."""

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryReading]:
        """A look at the state as it is now."""
        self._reach()
        yield MemoryReading(self.state, self._ledger)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryWriting]:
        """A transaction, one at a time."""
        self._reach()
        async with self._writer:
            writing = MemoryWriting(self.state, self._ledger)
            yield writing
            self._reach()
            for effect in writing.effects:
                effect()
            with self.committed:
                self.state = writing.state
                self.committed.notify_all()

    async def close(self) -> None:
        """Nothing to give back."""

    def _reach(self) -> None:
        if self.away:
            raise StorageUnavailable


def _check(thing: Struct) -> None:
    """What no database would hold is refused here too."""
    for value in to_row(thing).values():
        number = isinstance(value, int) and value not in _NUMBERS
        if number or (isinstance(value, str) and not _encodes(value)):
            raise InvalidValue("text", "of characters that can be stored, and numbers of 64 bits")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True
