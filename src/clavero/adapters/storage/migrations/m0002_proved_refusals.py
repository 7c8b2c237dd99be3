"""Refusals are proved at one instant: leases keep what was said last, wants may be looks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Workers of earlier versions said nothing of the kind: their answers count for nothing."""
    for name in ("base", "slack"):
        op.add_column("lease", sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("want", sa.Column("look", sa.Text))
    op.execute("UPDATE lease SET acked = 0")
