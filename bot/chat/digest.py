"""Once a day: what was published, what waits, and what comes next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import Role
from threadcast.bot.chat.reports import MARKS
from threadcast.bot.chat.requests.office import Office
from threadcast.bot.chat.views.cards import SIGNS, Look, reason
from threadcast.bot.chat.views.lists import shown_ids
from threadcast.bot.chat.views.message import Said, bold, esc
from threadcast.bot.chat.views.moments import count, shortly
from threadcast.bot.publishing.forecast import Forecast
from threadcast.config.schedule.zones import instant, wall
from threadcast.queue.model import Delivery, StoreError
from threadcast.queue.states import DeliveryState

log = structlog.get_logger("threadcast.chat")

DIGESTED: Final = 2  # the line of MARKS with the moment up to which digests told
LONGEST_NAP: Final = 3600.0  # seconds; a clock may be set meanwhile
AGAIN: Final = 30.0  # seconds until another try where the queue cannot be used
FEW = 10
YOURS = (DeliveryState.UNSURE, DeliveryState.FAILED, DeliveryState.HELD)


class Digests:
    """Tells one a day, and one for those that were missed while the service was down.

    `at` is a wall time of the office's zone, `tell` says the digest to those who may know.
    """

    def __init__(self, office: Office, at: time, *, tell: Callable[[Said], Awaitable[None]]) -> None:
        self._office = office
        self._at = at
        self._tell = tell
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """The clock may have been set: look at it."""
        self._woken.set()

    async def run(self) -> None:
        """Tell them until cancelled."""
        while True:
            self._woken.clear()
            now = self._office.clock()
            pause = (next_due(self._at, now, self._office.zone) - now).total_seconds()
            try:
                await self._once(now)
            except StoreError as error:
                log.warning("the digest waits: the queue cannot be used", reason=str(error))
                pause = AGAIN
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, LONGEST_NAP)):
                    await self._woken.wait()

    async def _once(self, now: datetime) -> None:
        """Tell the one that is due; at the very first start, begin to count."""
        newest = await asyncio.to_thread(self._newest)
        if newest is not None and newest < last_due(self._at, now, self._office.zone):
            await self._tell(await asyncio.to_thread(self._digest, newest, now))
        elif newest is not None:
            return
        # What is published from now on is for the next one: `now` is from before it was looked at.
        await asyncio.to_thread(self._office.notes.write, MARKS, DIGESTED, now.isoformat(), now=now)

    def _newest(self) -> datetime | None:
        text = self._office.notes.read(MARKS).get(DIGESTED)
        return None if text is None else datetime.fromisoformat(text)

    def _digest(self, since: datetime, now: datetime) -> Said:
        requests = self._office.requests_of("chat")
        published = [
            one
            for one in requests.queries.deliveries(frozenset({DeliveryState.PUBLISHED}))
            if one.finished is not None and since <= one.finished < now
        ]
        yours = sorted(requests.queries.deliveries(frozenset(YOURS)), key=lambda one: YOURS.index(one.state))
        return digest(
            published, yours, requests.queries.forecast(), self._office.look(Role.OWNER), since=since
        )


def last_due(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The newest moment (UTC) at which a digest was due. Pure."""
    local = datetime.combine(wall(now, zone).date(), at)
    due = instant(local, zone)
    return due if due <= now else instant(local - timedelta(days=1), zone)


def next_due(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment at which one is due, later than now. Pure."""
    local = datetime.combine(wall(now, zone).date(), at)
    due = instant(local, zone)
    return due if due > now else instant(local + timedelta(days=1), zone)


def digest(
    published: Sequence[Delivery],
    yours: Sequence[Delivery],
    coming: Sequence[Forecast],
    look: Look,
    *,
    since: datetime,
) -> Said:
    """The message. Pure."""
    lines = [
        bold(f"Since {shortly(since, look.now, look.zone)}"),
        f"Published: {count(len(published), 'chain') if published else 'nothing'}",
    ]
    lines += [f"{_name(one)} {esc(one.title)}" for one in published[:FEW]]
    lines += [f"… and {len(published) - FEW} more: /history"] if len(published) > FEW else []
    if yours:
        lines += ["", bold("Waiting for you")]
        lines += [f"{_name(one)} {one.state}: {reason(one.reason or one.title)}" for one in yours[:FEW]]
        lines += [f"… and {len(yours) - FEW} more: /status"] if len(yours) > FEW else []
    starting = [one for one in coming if one.start is not None]
    lines += ["", bold("Next") if starting else "Nothing is to be published."]
    for one in starting[:FEW]:
        assert one.start is not None  # noqa: S101  # see above
        when = shortly(one.start, look.now, look.zone) if one.start > look.now else "now"
        lines.append(
            f"{when}: #{one.delivery.thread_id} {bold(one.delivery.channel)} {esc(one.delivery.title)}"
        )
    lines += [f"… and {len(starting) - FEW} more: /queue"] if len(starting) > FEW else []
    numbers = tuple(button(f"#{one}", "show", (one,)) for one in shown_ids(yours)[:5])
    return Said("\n".join(lines), (numbers,) if numbers else (), quiet=not yours)


def _name(one: Delivery) -> str:
    return f"{SIGNS[one.state]} #{one.thread_id} {bold(one.channel)}"
