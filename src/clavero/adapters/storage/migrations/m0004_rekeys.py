"""Moves of the vault to new keys are kept, and how each data directory is sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two tables; nothing was moved before."""
    op.create_table(
        "vault_rekey",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("root", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("tenants", "state", "home", "before", "after")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("cells", "begun_ns", "ended_ns")),
    )
    op.create_table(
        "vault_seal",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
    )
