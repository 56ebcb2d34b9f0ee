"""The files that a thread and its posts show, and the ids that networks gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in [("threads", "files"), ("posts", "media"), ("posts", "album"), ("posts", "uploads")]:
        op.add_column(table, sa.Column(column, sa.Text(), server_default=sa.text("''"), nullable=False))
