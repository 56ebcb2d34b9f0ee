"""The machines that share a queue: who they are, what each leads, what they use one after the other."""

import sqlalchemy as sa
from alembic import op

from threadcast.queue.store.schema import UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "machines",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("heard", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_machines"),
    )
    op.create_table(
        "leaders",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_leaders"),
        sa.ForeignKeyConstraint(
            ["machine"], ["machines.name"], name="fk_leaders_machine", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "slots",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("next", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_slots"),
    )
