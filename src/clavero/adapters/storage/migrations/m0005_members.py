"""Owners of keys are members, and every owner that a key names becomes one; services have a contact."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One table and two columns; whoever owned a key until now is a person who still answers for it."""
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
    _text("service", "repository", "on_call")


def _text(table: str, *names: str) -> None:
    """Columns that are empty where nobody wrote anything; as a first start makes them, without a default."""
    for name in names:
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table(table) as batch:
        for name in names:
            batch.alter_column(name, server_default=None, existing_type=sa.Text, existing_nullable=False)
