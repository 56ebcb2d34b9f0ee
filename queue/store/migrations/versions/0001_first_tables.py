"""The first tables: threads, channels, deliveries, posts, events."""

import sqlalchemy as sa
from alembic import op

from threadcast.queue.store.schema import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "threads",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threads"),
        sqlite_autoincrement=True,
    )
    op.create_index("threads_fingerprint", "threads", ["fingerprint"])

    op.create_table(
        "channels",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_slot", UtcTime()),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )

    op.create_table(
        "deliveries",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("thread_id", BIG_ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("own_time", sa.Boolean(), nullable=False),
        sa.Column("due", UtcTime(), nullable=False),
        sa.Column("queued", UtcTime(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("started", UtcTime()),
        sa.Column("finished", UtcTime()),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", UtcTime()),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("adopted_parts", sa.Integer()),
        sa.Column("adopted_id", sa.Text()),
        sa.Column("adopted_url", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.CheckConstraint(
            "state IN ('cancelled', 'failed', 'held', 'published', "
            "'publishing', 'queued', 'unsure', 'withdrawn')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.CheckConstraint(
            "(lease_owner IS NULL) = (lease_until IS NULL) AND (lease_owner IS NULL OR state = 'publishing')",
            name=op.f("ck_deliveries_lease"),
        ),
        sa.CheckConstraint(
            "sent BETWEEN 0 AND posts AND (state <> 'published' OR (posts > 0 AND sent = posts))",
            name=op.f("ck_deliveries_whole"),
        ),
        sa.CheckConstraint(
            "(adopted_parts IS NULL) = (adopted_id IS NULL)", name=op.f("ck_deliveries_adopted")
        ),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name="fk_deliveries_thread_id"),
        sqlite_autoincrement=True,
    )
    for name, columns, where, unique in (
        ("deliveries_one_publishing", ["channel"], "state = 'publishing'", True),
        (
            "deliveries_one_live",
            ["channel", "fingerprint"],
            "state IN ('failed', 'held', 'publishing', 'queued', 'unsure')",
            True,
        ),
        (
            "deliveries_turn",
            ["channel", "own_time", "rank", "id", "due", "queued"],
            "state = 'queued'",
            False,
        ),
        ("deliveries_due", ["channel", "own_time", "due"], "state = 'queued'", False),
        ("deliveries_queued", ["channel", "own_time", "queued"], "state = 'queued'", False),
    ):
        op.create_index(
            name,
            "deliveries",
            columns,
            unique=unique,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_index("deliveries_thread", "deliveries", ["thread_id"])
    op.create_index("deliveries_known", "deliveries", ["fingerprint", "channel"])
    op.create_index("deliveries_rank", "deliveries", ["channel", "rank"])

    op.create_table(
        "posts",
        sa.Column("delivery_id", BIG_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("reply_to", sa.Text()),
        sa.Column("remote_id", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("intended", UtcTime()),
        sa.Column("finished", UtcTime()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "position", name="pk_posts"),
        sa.CheckConstraint(
            "state IN ('planned', 'refused', 'sending', 'sent', 'unknown')", name=op.f("ck_posts_state")
        ),
        sa.CheckConstraint(
            "state <> 'sent' OR tries = 0 OR remote_id IS NOT NULL", name=op.f("ck_posts_found")
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_posts_delivery_id"),
    )

    op.create_table(
        "events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("thread_id", BIG_ID),
        sa.Column("delivery_id", BIG_ID),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("events_of_thread", "events", ["thread_id", "id"])
