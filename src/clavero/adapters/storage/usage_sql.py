"""The statements that write usage: rows, groups and roll-ups. Sums are moved by difference, like the ledger's."""

from collections.abc import Sequence
from typing import Final

from clavero.adapters.storage.ledger_sql import Statement

# What makes a group: columns of `usage_group`, in the order of a group's members.
NAMES: Final = (
    "key_id", "owner", "service", "team", "project", "environment", "feature", "endpoint", "model_asked",
    "model_served", "provider",
)  # fmt: skip
GROUP: Final = (*NAMES, "status", "code")
# What roll-ups add up; `charged_n` is what the first budget of each row was charged, against the rows' own cost.
SUMS: Final = (
    "calls", "input", "cached", "cache_write", "output", "reasoning", "cost_n", "estimated_n", "unbudgeted_n",
    "charged_n",
)  # fmt: skip
COLUMNS: Final = (
    "day", "hold_id", "request_id", "at_ns", "group_id", "key_version", "asked", "input", "cached", "cache_write",
    "output", "reasoning", "cost_n", "price_version", "attempts", "first_token_us", "total_us", "overhead_us",
    "outcome", "streamed", "estimated", "final", "client_request_id", "peer", "output_cap", "held_n", "amounts",
    "flag", "boot_id",
)  # fmt: skip


def _into(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f":{column}" for column in columns)
    return "INSERT INTO " + table + " (" + ", ".join(columns) + ") VALUES (" + values + ")"  # noqa: S608 - names of the schema


def _adding(table: str, key: Sequence[str], sums: Sequence[str], latest: Sequence[str] = ()) -> Statement:
    """A row of a roll-up, or its difference where the row is there."""
    changes = [f"{name} = {table}.{name} + excluded.{name}" for name in sums]
    changes += [f"{name} = {{most}}({table}.{name}, excluded.{name})" for name in latest]
    conflict = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
    return Statement(_into(table, (*key, *sums, *latest)) + conflict)


USED: Final = Statement("SELECT u.hold_id FROM {keys} k CROSS JOIN usage u WHERE u.day = k.p AND u.hold_id = k.b")
ADD_USAGE: Final = Statement(_into("usage", COLUMNS))
ADD_GROUP: Final = Statement(_into("usage_group", ("digest", *GROUP)) + " ON CONFLICT (digest) DO NOTHING")
FIND_GROUPS: Final = Statement("SELECT digest, id FROM usage_group WHERE digest IN {ids}")
ADD_HOUR: Final = _adding("usage_hour", ("hour", "group_id"), SUMS)
ADD_DAY: Final = _adding("usage_day", ("day", "group_id"), SUMS)
ADD_MINUTE: Final = _adding("usage_minute", ("minute", "status", "code"), ("calls", "cost_n"))
ADD_CHARGE: Final = _adding("usage_charge", ("day", "budget_id", "period_start"), ("charged_n", "first_n"))
ADD_KEY: Final = _adding("usage_key", ("key_id",), (), ("last_ns",))
