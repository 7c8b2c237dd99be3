"""Names in capitals.

A new column beside the old one, filled piece by piece, and the old one dropped at the end.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, text

from clavero.adapters.storage.migrate import Piece

revision = "0002"
down_revision = "0001"
SIZE = 2


def upgrade() -> None:
    """Make room."""
    op.add_column("thing", sa.Column("loud", sa.Text, nullable=False, server_default=""))


def fill(connection: Connection, marker: str) -> Piece:
    """Two rows at a time, after the number in the marker."""
    after = int(marker or 0)
    rows = connection.execute(
        text("SELECT id FROM thing WHERE id > :after ORDER BY id LIMIT :size"), {"after": after, "size": SIZE}
    ).all()
    for (number,) in rows:
        connection.execute(text("UPDATE thing SET loud = upper(name) WHERE id = :id"), {"id": number})
    return Piece(str(rows[-1][0]) if len(rows) == SIZE else None, len(rows))


def finish() -> None:
    """Nobody reads the old one any more."""
    with op.batch_alter_table("thing") as thing:
        thing.drop_column("name")
