"""What a person changes in the queue, and what was learned about a channel."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_
from sqlalchemy.dialects import postgresql, sqlite

from threadcast.queue.model import (
    ChannelRow,
    ChannelSeen,
    Delivery,
)
from threadcast.queue.states import (
    Event,
    Sent,
)
from threadcast.queue.store import learning, owning, stopping
from threadcast.queue.store.schema import CHANNELS
from threadcast.queue.store.transactions import Transactions


class Changes:
    """What a person changes in the queue, and what was learned about a channel.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        """A person's request: one of `states.REQUESTS`, as `states.follow` allows.

        `schedule` gives the delivery a time of its own. So does `retry`, which makes a `refused` post
        `planned` again: a chain that is half out does not wait for a slot; `settle` does the same.
        `cancel` of a `publishing` delivery is refused while a lease on it holds. `due` replaces the
        delivery's, and is a time of its own. Where the new state is `queued`, clears `reason` and
        `finished`, and sets `queued` where the old one was another; sets `finished` on `cancelled`.
        Raises NotFoundError, states.NotAllowedError.
        """
        with self._write() as connection:
            return owning.apply(connection, delivery_id, event, now=now, actor=actor, due=due)

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        """A person says of an `unsure` delivery's `unknown` post: it is out (`sent`), or it is not (None).

        The post becomes `sent` or `planned`; the delivery goes back to the queue, or is `published`
        where that was its last post. Gives a `settle` event, and with the last post a `finish` event.
        Raises NotFoundError, states.NotAllowedError.
        """
        with self._write() as connection:
            return owning.settle(connection, delivery_id, sent, now=now, actor=actor)

    def skip(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """Leave the `refused` post of a `failed` delivery out: those behind it move up by one position.

        The delivery goes back to the queue (at once: `own_time`, `due` now), or is `published` where that
        was its last post. Gives a `skip` event that names the post, and with the last post a `finish` event.
        Raises NotFoundError, and NotAllowedError where the state is another, no post is `refused`, or no
        other post would be left.
        """
        with self._write() as connection:
            return stopping.skip(connection, delivery_id, now=now, actor=actor)

    def withdraw(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """A person wants its posts gone: it is `withdrawn` from now on; `note_gone` follows for each post.

        Gives a `withdraw` event. Raises NotFoundError, and NotAllowedError where the state does not allow
        it, or no post is out.
        """
        with self._write() as connection:
            return stopping.withdraw(connection, delivery_id, now=now, actor=actor)

    def note_gone(self, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
        """A `sent` post is on the network no more: sets `taken_down`, the first time.

        Of a `withdrawn` delivery, which is being taken down, or a `failed` one: it may have stopped for it.

        Gives a `take-down` event then. Raises NotFoundError, and StoreError for any other post.
        """
        with self._write() as connection:
            stopping.note_gone(connection, delivery_id, position, now=now, actor=actor)

    def pause(self, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
        """Stop claims on a channel, or let them go on. Gives a `pause` or `resume` event where it changed.

        Raises NotFoundError where the channel was never seen.
        """
        with self._write() as connection:
            return owning.pause(connection, channel, paused, now=now, actor=actor)

    def move(self, delivery_id: int, after: int | None, *, now: datetime, actor: str) -> Delivery:
        """Put a held or queued delivery behind another of its channel, or (None) before all of them.

        Other deliveries keep their order. Raises NotFoundError, and NotAllowedError where either is not
        held or queued, or they are on different channels.
        """
        with self._write() as connection:
            return owning.move(connection, delivery_id, after, now=now, actor=actor)

    def see_channels(self, channels: Sequence[ChannelSeen], *, now: datetime) -> None:
        """Note the configured channels; new ones are added, others updated.

        A channel that is new, or whose `schedule` is not the one noted, has used every slot up to `now`:
        slots of the past are not made up for under a schedule that was not in force then. With another
        `target` its `rate` and `moved` are forgotten.
        """
        rows = [
            asdict(seen) | {"paused": False, "last_slot": now, "first_seen": now, "last_seen": now}
            for seen in sorted(channels, key=lambda seen: seen.name)  # so that two callers cannot deadlock
        ]
        if not rows:
            return
        with self._write() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            seen = dialect.insert(CHANNELS)
            fresh: dict[str, Any] = {
                name: seen.excluded[name] for name in ("kind", "target", "schedule", "last_seen")
            }
            kept = or_(
                CHANNELS.c.schedule == seen.excluded.schedule,
                CHANNELS.c.last_slot > seen.excluded.last_slot,  # the clock was set back
            )
            same_place = CHANNELS.c.target == seen.excluded.target
            for learned in ("rate", "moved"):
                fresh[learned] = case((same_place, CHANNELS.c[learned]), else_=None)
            fresh["last_slot"] = case((kept, CHANNELS.c.last_slot), else_=seen.excluded.last_slot)
            connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_=fresh), rows)

    def note_rate(self, channel: str, rate: float) -> None:
        """Remember how many posts a second the channel takes. Raises NotFoundError."""
        with self._write() as connection:
            learning.note_rate(connection, channel, rate)

    def note_moved(self, channel: str, moved: str, *, now: datetime, actor: str) -> None:
        """Remember where the channel's target is now. Gives a `moved` event where that is news.

        Raises NotFoundError.
        """
        with self._write() as connection:
            learning.note_moved(connection, channel, moved, now=now, actor=actor)
