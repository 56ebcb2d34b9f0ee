"""On which other channel the chains of one say that their thread is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channels", sa.Column("also", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_index("channels_also", "channels", ["also"])
