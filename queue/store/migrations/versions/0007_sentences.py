"""Reasons, and the details of events, as sentences that are data; those that are there stay as they read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    quote = "json_quote" if op.get_bind().dialect.name == "sqlite" else "to_json"
    for table, column in [("deliveries", "reason"), ("posts", "reason"), ("events", "detail")]:
        op.execute(
            sa.text(f"UPDATE {table} SET {column} = CAST({quote}({column}) AS text) WHERE {column} <> ''")  # noqa: S608
        )
