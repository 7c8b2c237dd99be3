"""Things have a colour."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One column more."""
    op.add_column("thing", sa.Column("colour", sa.Text, nullable=False, server_default=""))
