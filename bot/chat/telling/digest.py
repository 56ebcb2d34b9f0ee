"""Once a day: what was published, what waits, and what comes next."""

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.reports import MARKS
from threadcast.bot.chat.telling.status import wanted_by
from threadcast.bot.chat.views.message import Say
from threadcast.bot.chat.views.plan import FEW, YOURS, digest
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import get_logger
from threadcast.config.schedule.zones import instant, wall
from threadcast.queue.errors import StoreError
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.chat")

DIGESTED: Final = 2  # the line of MARKS with the moment up to which digests told


class DailyDigest:
    """Tells one a day, and one for those that were missed while the service was down.

    `at` is a wall time of the context's zone, `tell` says the digest to those who may know.
    """

    def __init__(self, context: Context, at: time, *, tell: Callable[[Say], None]) -> None:
        self._context = context
        self._at = at
        self._tell = tell
        self._told: datetime | None = None  # up to when
        self._looking = asyncio.Lock()

    def until_due(self) -> timedelta:
        """How long it is until the next one is due."""
        now = self._context.clock()
        return next_due(self._at, now, self._context.zone) - now

    async def look(self) -> None:
        """Tell the one that is due, if there is one."""
        now = self._context.clock()
        due = last_due(self._at, now, self._context.zone)
        async with self._looking:
            if self._told is not None and self._told >= due:
                return
            try:
                await self._tell_of(due, now)
            except StoreError as error:
                log.warning("the digest waits: the queue cannot be used", reason=sentence(error, SHELL))

    async def _tell_of(self, due: datetime, now: datetime) -> None:
        """Tell what came since the last one; at the very first start, begin to count."""
        newest = await asyncio.to_thread(self._newest)
        if newest is not None and newest < due:
            self._tell(await asyncio.to_thread(self._digest, newest, now))
        if newest is None or newest < due:
            # What is published from now on is for the next one: `now` is from before it was looked at.
            await asyncio.to_thread(self._context.notes.write, MARKS, DIGESTED, now.isoformat(), now=now)
        self._told = max(now, newest or now)

    def _newest(self) -> datetime | None:
        text = self._context.notes.read(MARKS).get(DIGESTED)
        return None if text is None else datetime.fromisoformat(text)

    def _digest(self, since: datetime, now: datetime) -> Say:
        requests = self._context.requests_of("chat")
        published = [
            one
            for one in requests.queries.deliveries(frozenset({DeliveryState.PUBLISHED}))
            if one.finished is not None and since <= one.finished < now
        ]
        yours = sorted(requests.queries.deliveries(frozenset(YOURS)), key=lambda one: YOURS.index(one.state))
        viewer = self._context.viewer(Role.OWNER)
        events = wanted_by(requests.queries, yours[:FEW])
        return partial(digest, published, yours, requests.queries.forecast(), viewer, events, since=since)


def last_due(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The newest moment (UTC) at which a digest was due. Pure."""
    local = datetime.combine(wall(now, zone).date(), at)
    due = instant(local, zone)
    return due if due <= now else instant(local - timedelta(days=1), zone)


def next_due(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment (UTC) at which one is due, later than now. Pure."""
    local = datetime.combine(wall(now, zone).date(), at)
    due = instant(local, zone)
    return due if due > now else instant(local + timedelta(days=1), zone)
