"""How the correction of a post that is out stands."""

import sqlalchemy as sa
from alembic import op

from threadcast.queue.store.schema import UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("edit", sa.Text()))
    op.add_column("posts", sa.Column("edited", UtcTime()))
    edited = sa.text("edited IS NOT NULL")
    op.create_index("posts_edited", "posts", ["edited"], sqlite_where=edited, postgresql_where=edited)
