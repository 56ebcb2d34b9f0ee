"""Asks the networks what readers did, now and then: never while the account's budget is needed to publish."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.readers.figures import TELLING, ReaderFigures
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError
from threadcast.queue.model import Delivery, PostRecord
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

log = get_logger("threadcast.readers")

EVERY: Final = timedelta(minutes=10)  # a round
FIRST: Final = timedelta(hours=1)  # after its end a chain is asked about for the first time
GROWS: Final = 1.5  # the age of a chain from one time to the next
LAST: Final = timedelta(weeks=4)  # nobody comes later who changes much
AT_ONCE: Final = 5  # chains of a channel in a round: ten calls of Mastodon's 300 in five minutes
CHAINS: Final = 300  # that are looked through for those that are due, the newest
FREE: Final = 0.5  # of the tightest limit has to be left


class ReaderLookup:
    """`leads` says whether this machine does it, of those that share a queue; it may block."""

    def __init__(
        self,
        database: Database,
        channels: Sequence[Channel],
        clock: Clock,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._leads = leads
        self._figures = ReaderFigures(database)

    async def run(self) -> None:
        """Look up what is due, channel by channel."""
        try:
            if await asyncio.to_thread(self._leads):
                for channel in tuple(self._channels):
                    if channel.kind in TELLING:
                        await self._look_at(channel)
        except StoreError as error:  # next time
            log.warning("what readers did was not looked up", reason=str(error))

    async def _look_at(self, channel: Channel) -> None:
        for one, posts in await asyncio.to_thread(self._due, channel.name):
            if not await self._look_up(channel, one, posts):
                return

    async def _look_up(self, channel: Channel, one: Delivery, posts: Sequence[PostRecord]) -> bool:
        """Look up one chain; whether the next one may be, too."""
        needed = not has_room(channel, self._clock()) or await asyncio.to_thread(
            self._publishes, channel.name
        )
        if needed or channel.readership is None:
            return False
        places = {post.remote_id: post.position for post in posts if post.remote_id is not None}
        found = await channel.readership.of(list(places))
        if not isinstance(found, Mapping):
            log.info("what readers did is not told now", channel=channel.name, reason=found.reason)
            return False
        told = {places[remote_id]: readers for remote_id, readers in found.items()}
        await asyncio.to_thread(self._figures.note, one, told, now=self._clock())
        return True

    def _publishes(self, channel: str) -> bool:
        going = self._database.reading.deliveries(
            states=frozenset({DeliveryState.PUBLISHING}), channel=channel, limit=1
        )
        return bool(going)

    def _due(self, channel: str) -> list[tuple[Delivery, tuple[PostRecord, ...]]]:
        """The chains that are to be asked about, with their posts."""
        now = self._clock()
        published = self._database.reading.deliveries(
            states=frozenset({DeliveryState.PUBLISHED}), channel=channel, newest_first=True, limit=CHAINS
        )
        young = list(
            takewhile(lambda one: one.finished is not None and one.finished > now - LAST * GROWS, published)
        )
        looked = self._figures.of(young)
        due = [
            one
            for one in young
            if one.finished and is_due(one.finished, looked[one.id].at if one.id in looked else None, now)
        ][:AT_ONCE]
        posts = self._database.reading.posts_of([one.id for one in due])
        return [(one, tuple(post for post in posts[one.id] if not post.taken_down)) for one in due]


def is_due(finished: datetime, looked: datetime | None, now: datetime) -> bool:
    """Whether a chain that ended then, and was looked up then, is to be looked up again. Pure."""
    if looked is None:
        return now - finished >= FIRST
    age = looked - finished
    return age < LAST and now - finished >= max(FIRST, age * GROWS)


def has_room(channel: Channel, now: datetime) -> bool:
    """Whether what the server last said leaves enough to publish beside looking."""
    quota = channel.quota
    return quota is None or quota.reset <= now or quota.remaining >= quota.limit * FREE
