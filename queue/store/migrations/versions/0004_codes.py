"""Why a delivery waits or stopped, as a code beside the words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("code", sa.Text(), server_default=sa.text("''"), nullable=False))
