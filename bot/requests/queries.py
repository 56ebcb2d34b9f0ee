"""What a person can see of the queue: what waits, what came of it, and who did what."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from threadcast.bot.channels.build import in_words
from threadcast.bot.publishing.forecast import Forecast, forecast
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.errors import Problem, UnknownChannelError, UnknownThreadError
from threadcast.config.schedule.slots import Schedule, parse_schedule
from threadcast.config.schedule.words import FARTHEST, WhenCode, WhenError
from threadcast.queue.model import AuditEvent, ChannelRow, Delivery, PostRecord, StoredThread
from threadcast.queue.states import BEGINNINGS, GOES_ON, OVER, WAITING, DeliveryState
from threadcast.queue.store.database import Database

if TYPE_CHECKING:
    from threadcast.bot.publishing.agenda import Agenda

BARE_HOUR = re.compile(r"(?<=\s)(\d{1,2})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chain:
    """A delivery with its posts."""

    delivery: Delivery
    posts: tuple[PostRecord, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A thread in a list, with what became of it on each channel."""

    id: int
    title: str
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All there is to know of one thread."""

    stored: StoredThread
    chains: tuple[Chain, ...]
    events: tuple[AuditEvent, ...]

    @property
    def is_out(self) -> bool:
        """Whether it is corrected where it stands: a chain of it is whole, and published."""
        return any(
            one.posts and one.delivery.state in {DeliveryState.PUBLISHED, *BEGINNINGS} for one in self.chains
        )


def adder(events: Sequence[AuditEvent]) -> str:
    """The actor who added a thread; empty where nobody knows."""
    return next((event.actor for event in events if event.what == "add"), "")


def is_own(dossier: Dossier, actor: str) -> bool:
    """Whether an editor may take it back: they added it, and nothing of it has begun."""
    waits = all(one.delivery.state in BEGINNINGS and not one.delivery.sent for one in dossier.chains)
    return waits and adder(dossier.events) == actor


class Queries:
    """Each answers from the queue as it is now. Raises StoreError."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    @property
    def configured(self) -> frozenset[str]:
        """Return the names of the configured channels."""
        return frozenset(channel.name for channel in self._context.channels)

    def channels(self) -> tuple[ChannelRow, ...]:
        """Return every channel the queue has seen, configured now or not."""
        targets = {channel.name: channel.target for channel in self._context.channels}
        schedules = {name: in_words(one.timetable) for name, one in self._context.rhythms.items()}
        return tuple(
            replace(
                row,
                target=targets.get(row.name, row.target),
                schedule=schedules.get(row.name, row.schedule),
            )
            for row in self._database.reading.channels()
        )

    def queue(self, *, channel: str | None = None) -> tuple[Delivery, ...]:
        """Return what is under way, waiting, held or unsure, in the order of the queue.

        Raises UnknownChannelError, as do `forecast` and `history`.
        """
        return self._database.reading.deliveries(states=WAITING, channel=self._known(channel))

    def deliveries(
        self,
        states: frozenset[DeliveryState] | None = None,
        *,
        thread: int | None = None,
        channel: str | None = None,
        limit: int | None = None,
    ) -> tuple[Delivery, ...]:
        """Return every delivery in one of these states, in the order of the queue; or those of a thread.

        Raises NotFoundError where there is no such thread.
        """
        if thread is not None:
            return self._context.deliveries(thread)
        return self._database.reading.deliveries(states=states, channel=self._known(channel), limit=limit)

    def forecast(self, *, channel: str | None = None, queued: int | None = None) -> tuple[Forecast, ...]:
        """Return the queue, with when each delivery starts, why then, and when it should be through.

        With `queued`, only what goes on by itself: of what is queued the first so many, and what has a time
        of its own.
        """
        if queued is None:
            waiting = self.queue(channel=channel)
        else:
            name = self._known(channel)
            waiting = self._database.reading.deliveries(states=GOES_ON, channel=name, queued=queued)
        return self._foresee(waiting, self._context.clock())

    def in_turn(self, threads: Collection[int]) -> tuple[Forecast, ...]:
        """Return when these would start if `Changes.in_turn` let them go now: those that it can."""
        now, queue = self._context.clock(), self.queue()
        mine = {one.id for one in queue if one.thread_id in threads and self._context.may_wait_for_slot(one)}
        let_go = (
            replace(one, state=DeliveryState.QUEUED, own_time=False, due=now, queued=now)
            if one.id in mine
            else one
            for one in queue
        )
        return tuple(one for one in self._foresee(tuple(let_go), now) if one.delivery.id in mine)

    def one_each(
        self, threads: Iterable[int], text: str, *, after: datetime, zone: ZoneInfo
    ) -> dict[int, datetime]:
        """Return a time (UTC) for each thread that may begin, one after the other from a moment on.

        See `read_times` for `text`. Raises ValueError with what was expected, and WhenError where the last is
        more than a year away.
        """
        slots = read_times(text).slots(after, zone)
        within = takewhile(lambda slot: slot.utc - after <= FARTHEST, slots)
        waiting = {one.thread_id for one in self._database.reading.deliveries(states=frozenset(BEGINNINGS))}
        meant = [one for one in threads if one in waiting]
        times = {thread: slot.utc for thread, slot in zip(meant, within, strict=False)}
        if len(times) < len(meant):
            raise WhenError(WhenCode.TOO_FAR, text)
        return times

    def agenda(self, threads: Collection[int], zone: ZoneInfo) -> "Agenda":
        """Return what the days hold for these threads: by their channels' clocks, or else in this zone."""
        from threadcast.bot.publishing.agenda import Agenda, zone_of  # noqa: PLC0415  # no list needs it

        every = self.forecast()
        meant = {one.delivery.channel for one in every if _begins(one.delivery, threads)}
        rhythms = {name: each for name, each in self._context.rhythms.items() if name in meant}
        others = (one for one in every if one.delivery.channel in meant)
        starts = (one.start for one in others if one.delivery.thread_id not in threads)
        return Agenda(zone_of(rhythms, zone), rhythms, tuple(start for start in starts if start is not None))

    def _foresee(self, queue: Sequence[Delivery], now: datetime) -> tuple[Forecast, ...]:
        rows = {row.name: row for row in self._database.reading.channels()}
        return forecast(queue, rows, self._context.rhythms, now, self._context.prospects(now))

    def events(
        self,
        thread_id: int | None = None,
        limit: int | None = None,
        after: int | None = None,
        *,
        forward: bool = False,
    ) -> tuple[AuditEvent, ...]:
        """Return who did what, oldest first: of one thread, a removed one too, or of all; `after` that id.

        With `limit`, the newest that many, or the next (`forward`). Raises NotFoundError where there never
        was such a thread.
        """
        found = self._database.reading.events(thread_id=thread_id, limit=limit, after=after, forward=forward)
        if thread_id is not None and not found and not after:
            raise UnknownThreadError(Problem.NEVER_WAS, thread=thread_id)
        return found

    def history(
        self, *, channel: str | None = None, limit: int | None = None, skip: int = 0
    ) -> tuple[Chain, ...]:
        """Return what came to an end or stopped, newest first; the `skip` newest left out."""
        ended = self._database.reading.deliveries(
            states=OVER,
            channel=self._known(channel),
            newest_first=True,
            limit=None if limit is None else skip + limit,
        )
        return _chains(self._database, ended[skip:])

    def newest(
        self,
        limit: int,
        *,
        before: int | None = None,
        states: frozenset[DeliveryState] | None = None,
        channel: str | None = None,
    ) -> tuple[Listed, ...]:
        """Return threads, the newest first, with their deliveries in these states, on that channel.

        `before` that number. Raises UnknownChannelError.
        """
        found = self._database.reading.deliveries(
            states=states, channel=self._known(channel), threads=(limit, before)
        )
        groups = groupby(found, key=lambda one: (one.thread_id, one.title))
        return tuple(Listed(*thread, tuple(group)) for thread, group in groups)

    def show(self, thread_id: int) -> Dossier:
        """Return one thread whole. Raises NotFoundError."""
        return Dossier(
            self._database.reading.thread(thread_id),
            _chains(self._database, self._database.reading.deliveries(thread_id=thread_id)),
            self._database.reading.events(thread_id=thread_id),
        )

    def _known(self, channel: str | None) -> str | None:
        """Return a channel's name as it is stored, configured now or not."""
        if channel is None or channel.lower() in self.configured:
            return channel and channel.lower()
        known = [row.name for row in self._database.reading.channels()]
        if channel.lower() not in known:
            raise UnknownChannelError(Problem.UNKNOWN_CHANNEL, channel=channel, names=known, cause="known")
        return channel.lower()


def _chains(database: Database, deliveries: Sequence[Delivery]) -> tuple[Chain, ...]:
    posts = database.reading.posts_of([delivery.id for delivery in deliveries])
    return tuple(Chain(delivery, posts[delivery.id]) for delivery in deliveries)


def foreseen_of(queries: Queries, deliveries: Sequence[Delivery]) -> Mapping[int, Forecast]:
    """Return when these start and end, by their ids. Raises StoreError."""
    wanted = {one.id for one in deliveries}
    waiting = {one.channel for one in deliveries if one.finished is None}
    return {
        one.delivery.id: one
        for channel in waiting
        for one in queries.forecast(channel=channel)
        if one.delivery.id in wanted
    }


def read_times(text: str) -> Schedule:
    """Return times as a person writes them: `daily 9:00`, `mon-fri 9`, `every 2h`. Raises ValueError."""
    return parse_schedule(BARE_HOUR.sub(r"\1:00", text))


def _begins(one: Delivery, threads: Collection[int]) -> bool:
    """Whether it is of one of these threads, and has not begun."""
    return one.thread_id in threads and one.state in BEGINNINGS
