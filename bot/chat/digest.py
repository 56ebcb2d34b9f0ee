"""Once a day: what was published, what waits, and what comes next."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.reports import MARKS
from threadcast.bot.chat.views.cards import SIGNS, Viewer, reason
from threadcast.bot.chat.views.lists import shown_ids
from threadcast.bot.chat.views.message import Message, Say, bold, esc
from threadcast.bot.languages import _, ngettext
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.wording import SHELL, STATES, sentence, shortly
from threadcast.config.logs import get_logger
from threadcast.config.schedule.zones import instant, wall
from threadcast.queue.errors import StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.chat")

DIGESTED: Final = 2  # the line of MARKS with the moment up to which digests told
FEW = 10
YOURS = (DeliveryState.UNSURE, DeliveryState.FAILED, DeliveryState.HELD)


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
        return partial(digest, published, yours, requests.queries.forecast(), viewer, since=since)


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


def digest(
    published: Sequence[Delivery],
    yours: Sequence[Delivery],
    coming: Sequence[Forecast],
    viewer: Viewer,
    *,
    since: datetime,
) -> Message:
    """The message. Pure."""
    lines = [
        bold(_("Since {time}").format(time=shortly(since, viewer.now, viewer.zone))),
        _("Published: {what}").format(what=_chains(len(published))),
    ]
    lines += [f"{_name(one)} {esc(one.title)}" for one in published[:FEW]]
    lines += [_more(len(published) - FEW, "/history")] if len(published) > FEW else []
    if yours:
        lines += ["", bold(_("Waiting for you"))]
        lines += [
            f"{_name(one)} {_(STATES[one.state])}: {reason(one.reason) if one.reason else esc(one.title)}"
            for one in yours[:FEW]
        ]
        lines += [_more(len(yours) - FEW, "/status")] if len(yours) > FEW else []
    starting = [one for one in coming if one.start is not None]
    lines += ["", bold(_("Next")) if starting else _("Nothing is to be published.")]
    for one in starting[:FEW]:
        assert one.start is not None  # noqa: S101  # see above
        when = shortly(one.start, viewer.now, viewer.zone) if one.start > viewer.now else _("now")
        lines.append(
            f"{when}: #{one.delivery.thread_id} {bold(one.delivery.channel)} {esc(one.delivery.title)}"
        )
    lines += [_more(len(starting) - FEW, "/queue")] if len(starting) > FEW else []
    numbers = tuple(button(f"#{one}", "show", (one,)) for one in shown_ids(yours)[:5])
    return Message("\n".join(lines), (numbers,) if numbers else (), quiet=not yours)


def _chains(number: int) -> str:
    return ngettext("{n} chain", "{n} chains", number).format(n=number) if number else _("nothing")


def _more(number: int, command: str) -> str:
    return _("… and {n} more: {command}").format(n=number, command=command)


def _name(one: Delivery) -> str:
    return f"{SIGNS[one.state]} #{one.thread_id} {bold(one.channel)}"
