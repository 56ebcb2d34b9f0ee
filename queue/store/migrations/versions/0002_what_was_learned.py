"""What is learned while posting: doubts and looks, what was taken down, a channel's pace and new address."""

import sqlalchemy as sa
from alembic import op

from threadcast.queue.store.schema import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("doubted", UtcTime()))
    op.add_column("posts", sa.Column("misses", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("posts", sa.Column("taken_down", UtcTime()))
    op.add_column("channels", sa.Column("rate", sa.Float()))
    op.add_column("channels", sa.Column("moved", sa.Text()))
    finished = sa.text("finished IS NOT NULL")
    op.create_index("posts_finished", "posts", ["finished"], sqlite_where=finished, postgresql_where=finished)
