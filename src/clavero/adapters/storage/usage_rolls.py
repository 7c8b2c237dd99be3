"""What rows of usage add to the roll-ups, and the numbers of their groups."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import add
from typing import Any, Final, TypeVar

import msgspec

from clavero.adapters.storage import usage_sql as sql
from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Session
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.adapters.storage.usage_sql import GROUP, SUMS
from clavero.domain.posting import Posting
from clavero.domain.usage import Exchange

Group = tuple[str | int, ...]  # the members that `GROUP` names
Numbers = Mapping[Group, int]
Sums = tuple[int, ...]
K = TypeVar("K")

HOUR_NS: Final = 3600 * 1_000_000_000
MINUTE_NS: Final = 60 * 1_000_000_000
_MOST_KNOWN = 100_000
_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()


def group_of(it: Exchange) -> Group:
    """What a row is told by. A model's name that led nowhere is the caller's own words and makes no group."""
    return (
        it.key_id, it.owner, it.service, it.team, it.project, it.environment, it.feature, it.endpoint,
        it.model_asked if it.model_served else "", it.model_served, it.provider, it.status, it.code,
    )  # fmt: skip


def digest(group: Group) -> str:
    """What a group is found by, 32 hex digits."""
    return hashlib.blake2b(_msgpack.encode(group), digest_size=16).hexdigest()


def used(session: Session, holds: Mapping[str, int]) -> set[str]:
    """Which of these holds have a row; each is told with the day of its request, which its row has too."""
    if not holds:
        return set()
    keys = _json.encode(sorted(holds.items())).decode()
    return {name for (name,) in session.rows(sql.USED, {"keys": keys})}


def record(session: Session, groups: "Groups", lines: Sequence[tuple[Posting, dict[str, Any]]]) -> None:
    """Write rows and what they add to the roll-ups, in this transaction."""
    if not lines:
        return
    numbers = groups.numbers(session, {group_of(posting.exchange) for posting, _ in lines})
    session.many(sql.ADD_USAGE, [row | {"group_id": numbers[group_of(one.exchange)]} for one, row in lines])
    Rolls([posting for posting, _ in lines], numbers).write(session)


class Groups:
    """The numbers of the groups that were seen: remembered once the transaction that found them is committed."""

    def __init__(self) -> None:
        self._known: dict[Group, int] = {}
        self._found: dict[Group, int] = {}

    def begin(self) -> None:
        """A transaction begins: whatever an earlier one found and did not commit is nothing."""
        self._found = {}

    def numbers(self, session: Session, wanted: Collection[Group]) -> Numbers:
        """A number for each group; new ones are made in this transaction, in one order whoever makes them."""
        known = {group: self._known[group] for group in wanted if group in self._known}
        missing = {digest(group): group for group in wanted if group not in known}
        if not missing:
            return known
        rows = [dict(zip(GROUP, missing[name], strict=True), digest=name) for name in sorted(missing)]
        session.many(sql.ADD_GROUP, rows)
        ids = _json.encode(sorted(missing)).decode()
        found = {missing[name]: number for name, number in session.rows(sql.FIND_GROUPS, {"ids": ids})}
        self._found |= found
        return known | found

    def committed(self) -> None:
        """The transaction is committed: what it found is known from now on."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known |= self._found


class Rolls:
    """The differences that some rows make, by the key of each roll-up."""

    def __init__(self, postings: Iterable[Posting], numbers: Numbers) -> None:
        self.hours: dict[tuple[int, int], Sums] = {}
        self.days: dict[tuple[int, int], Sums] = {}
        self.minutes: dict[tuple[int, int, str], Sums] = {}
        self.charges: dict[tuple[int, str, int], Sums] = {}
        self.keys: dict[str, int] = {}
        for posting in postings:
            self._add(posting, numbers[group_of(posting.exchange)])

    def write(self, session: Session) -> None:
        """Add them, in one order whoever writes."""
        _write(session, sql.ADD_HOUR, ("hour", "group_id", *SUMS), self.hours)
        _write(session, sql.ADD_DAY, ("day", "group_id", *SUMS), self.days)
        _write(session, sql.ADD_MINUTE, ("minute", "status", "code", "calls", "cost_n"), self.minutes)
        _write(session, sql.ADD_CHARGE, ("day", "budget_id", "period_start", "charged_n", "first_n"), self.charges)
        latest = [{"key_id": key, "last_ns": self.keys[key]} for key in sorted(self.keys)]
        session.many(sql.ADD_KEY, latest)

    def _add(self, posting: Posting, number: int) -> None:
        it = posting.exchange
        sums = _sums(posting)
        _move(self.hours, (it.at_ns // HOUR_NS, number), sums)
        _move(self.days, (it.at_ns // DAY_NS, number), sums)
        _move(self.minutes, (it.at_ns // MINUTE_NS, it.status, it.code), (int(it.final), it.cost_n))
        for place, one in enumerate(posting.charges):
            key = (it.at_ns // DAY_NS, one.key.budget, one.key.period)
            _move(self.charges, key, (one.charge, 0 if place else one.charge))
        if it.key_id:
            self.keys[it.key_id] = max(self.keys.get(it.key_id, 0), it.at_ns)


def _sums(posting: Posting) -> Sums:
    it = posting.exchange
    tokens = it.tokens
    return (
        int(it.final), tokens.input, tokens.cached, tokens.cache_write, tokens.output, tokens.reasoning, it.cost_n,
        it.cost_n if it.estimated else 0,
        0 if posting.charges else it.cost_n,
        posting.charges[0].charge if posting.charges else 0,
    )  # fmt: skip


def _move(found: dict[K, Sums], key: K, sums: Sums) -> None:
    old = found.get(key)
    found[key] = tuple(map(add, old, sums)) if old else sums


def _write(session: Session, statement: Statement, names: Sequence[str], found: Mapping[Any, Sums]) -> None:
    session.many(statement, [dict(zip(names, (*key, *found[key]), strict=True)) for key in sorted(found)])
