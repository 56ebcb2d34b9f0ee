"""How much waits is counted without looking at each row."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


LIVE = sa.text("state IN ('failed', 'held', 'publishing', 'queued', 'unsure')")


def upgrade() -> None:
    op.create_index(
        "deliveries_backlog",
        "deliveries",
        ["channel", "state", "own_time", "due", "queued"],
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
