"""Owners of keys become members; services have a contact, environments a tier and freezes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One table and four columns; whoever owned a key until now is a person who still answers for it."""
    op.create_table(
        "member",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("email", "kind", "teams", "state")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_ns", "left_ns", "due_ns")),
    )
    op.execute(
        "INSERT INTO member (name, email, kind, teams, state, created_ns, left_ns, due_ns) "
        "SELECT owner, '', 'person', '[]', 'active', min(created_ns), 0, 0 FROM virtual_key GROUP BY owner"
    )
    _texts("service", repository="", on_call="")
    _texts("environment", tier="standard", freezes="[]")


def _texts(table: str, **columns: str) -> None:
    """Columns and what rows that are there hold in them; as a first start makes them, without a default."""
    for name, value in columns.items():
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=value))
    with op.batch_alter_table(table) as batch:
        for name in columns:
            batch.alter_column(name, server_default=None, existing_type=sa.Text, existing_nullable=False)
