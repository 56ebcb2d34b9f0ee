"""What was learned about a channel while posting to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from threadcast.queue.model import NotFoundError, PostRecord
from threadcast.queue.store.rows import post_of
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, POSTS
from threadcast.queue.store.statements import note


def landmark(connection: Connection, channel: str) -> PostRecord | None:
    """See `landmark`."""
    row = connection.execute(
        select(*POSTS.c)
        .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
        .where(
            DELIVERIES.c.channel == channel,
            POSTS.c.remote_id.is_not(None),
            POSTS.c.finished.is_not(None),
            POSTS.c.taken_down.is_(None),
        )
        .order_by(POSTS.c.finished.desc(), POSTS.c.delivery_id.desc(), POSTS.c.position.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else post_of(row)


def sent_since(connection: Connection, channel: str, moment: datetime) -> int:
    """See `sent_since`."""
    count = connection.scalar(
        select(func.count())
        .select_from(POSTS)
        .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
        .where(DELIVERIES.c.channel == channel, POSTS.c.remote_id.is_not(None), POSTS.c.finished >= moment)
    )
    return int(count or 0)


def note_rate(connection: Connection, channel: str, rate: float) -> None:
    """See `note_rate`."""
    _learn(connection, channel, rate=rate)


def note_moved(connection: Connection, channel: str, moved: str, *, now: datetime, actor: str) -> None:
    """See `note_moved`."""
    known = connection.scalar(select(CHANNELS.c.moved).where(CHANNELS.c.name == channel).with_for_update())
    _learn(connection, channel, moved=moved)
    if known != moved:
        note(connection, "moved", channel=channel, actor=actor, now=now, detail=f"to {moved}")


def _learn(connection: Connection, channel: str, **values: Any) -> None:
    learned = connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(values))
    if not learned.rowcount:
        raise NotFoundError(f"the queue has never seen a channel called {channel}")
