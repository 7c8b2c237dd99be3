"""The tables of the money protocol: ledger, boots, leases, open holds, wants, and what could not be posted.

The checks are the last line: whatever a statement does, committed money stays within limit plus excess. A plain
`posted + leased <= limit` would make an overrun or a lowered limit a statement that can never pass.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from clavero.adapters.storage.usage_tables import usage_tables

LEDGER_METADATA = metadata = MetaData()

_number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers its rows only for INTEGER


def _amount(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


ledger = Table(
    "ledger",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("period_start", BigInteger, primary_key=True),
    Column("limit_n", BigInteger, nullable=False),
    _amount("posted"),
    _amount("leased"),
    _amount("lost"),
    _amount("excess"),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    CheckConstraint("posted >= 0 AND leased >= 0 AND lost >= 0 AND excess >= 0", name="ledger_no_debt"),
    CheckConstraint("posted + leased + lost <= limit_n + excess", name="ledger_cap"),
    CheckConstraint("state IN ('open', 'closing', 'archived')", name="ledger_state"),
    sqlite_with_rowid=False,
)
_trouble = text("state <> 'archived' AND (state <> 'open' OR excess > 0)")
Index("ledger_trouble", ledger.c.budget_id, ledger.c.period_start, sqlite_where=_trouble, postgresql_where=_trouble)

boot = Table(
    "boot",
    metadata,
    Column("boot_id", Text, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("incarnation", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("seg", BigInteger, nullable=False, server_default=text("0")),
    Column("off", BigInteger, nullable=False, server_default=text("0")),
    Column("heartbeat", BigInteger, nullable=False),
    Column("tail", BigInteger, nullable=False, server_default=text("0")),
    Column("kernel_boot", Text, nullable=False),
    Column("home", Text, nullable=False),  # names the journal directory
    Column("durable", Boolean, nullable=False),  # holds are on the disk before their call leaves
    Column("sealed", Boolean, nullable=False),  # its seal frame was read: it is dead
    Column("consumed", BigInteger, nullable=False, server_default=text("0")),  # bytes of blocks read, against `tail`
    CheckConstraint("state IN ('live', 'lost', 'closed')", name="boot_state"),
)
_not_closed = text("state <> 'closed'")
Index("boot_open", boot.c.state, sqlite_where=_not_closed, postgresql_where=_not_closed)

lease = Table(
    "lease",
    metadata,
    Column("boot_id", Text, primary_key=True),
    Column("budget_id", Text, primary_key=True),
    Column("period_start", BigInteger, primary_key=True),
    _amount("granted"),
    _amount("returned"),
    _amount("posted"),
    _amount("moved"),
    _amount("lost"),
    _amount("acked"),
    _amount("base"),
    _amount("slack"),
    CheckConstraint("granted - returned - posted - moved >= 0 AND lost >= 0", name="lease_share"),
    Index("lease_row", "budget_id", "period_start"),
    sqlite_with_rowid=False,
)

open_hold = Table(
    "open_hold",
    metadata,
    Column("boot_id", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    Column("rows", Text, nullable=False),  # JSON [[budget, period, nano-USD]]
    Column("at_ns", BigInteger, nullable=False),
    Column("exchange", LargeBinary),  # msgpack of what was known when the call left
    sqlite_with_rowid=False,
)

want = Table(
    "want",
    metadata,
    Column("want_id", _number, Identity(), primary_key=True, autoincrement=True),
    Column("boot_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("rows", Text, nullable=False),  # JSON [[budget, period]]
    Column("at", BigInteger, nullable=False),
    Column("look", Text),  # JSON of what was seen of its one row, where it is no want but a look
    UniqueConstraint("boot_id", "request_id"),
    sqlite_autoincrement=True,
)

usage_tables(metadata)

journal_rejects = Table(
    "journal_rejects",
    metadata,
    Column("reject_id", _number, Identity(), primary_key=True, autoincrement=True),
    Column("boot_id", Text, nullable=False),
    Column("seg", BigInteger, nullable=False),
    Column("off", BigInteger, nullable=False),  # of the position that the turn began at
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
