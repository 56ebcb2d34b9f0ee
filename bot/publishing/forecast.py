"""When each delivery of the queue will start, why then, and when it should be through. Pure.

A forecast is what the scheduler will do if nothing goes wrong and nobody changes the queue: it asks the
same timetables the same questions, one delivery after the other, and each chain takes its part of what
the network lets through.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from threadcast.bot.channels.budget import Prospect
from threadcast.config.schedule.timetable import Cause, Timetable
from threadcast.config.settings import Settings
from threadcast.queue.model import ChannelRow, Delivery, credible
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState

NOTHING_KNOWN: Mapping[str, Prospect] = {}

CAUSES = {
    Cause.TURN: Sentence("in turn"),
    Cause.SLOT: Sentence("slot"),
    Cause.QUIET: Sentence("after quiet hours"),
}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What sets a channel's times: when threads start, and how long a chain rests between two posts."""

    timetable: Timetable
    gap: timedelta

    @property
    def is_scheduled(self) -> bool:
        """Whether a thread in turn waits for a slot."""
        return self.timetable.schedule is not None

    def rest_until(self, moment: datetime) -> datetime | None:
        """The end of the quiet hours that a moment lies in, or None."""
        end = self.timetable.quiet.ends(moment, self.timetable.zone)
        return end if end > moment else None


def rhythms(settings: Settings) -> dict[str, Rhythm]:
    """Return each channel's rhythm, by its name."""
    return {
        channel.name: Rhythm(channel.timetable(settings.timezone), channel.pace)
        for channel in settings.channels
    }


@dataclass(frozen=True, slots=True)
class Forecast:
    """`start` and `end` (UTC) are None where a person has to act first, and `why` says who or what.

    `takes` is how long its chain takes once it has begun, where that is known. `by_slot`: in turn it waits
    for a slot. `command` is what to type about it, where there is such a thing, as in a shell.
    """

    delivery: Delivery
    start: datetime | None
    why: str
    end: datetime | None
    takes: timedelta | None = None
    by_slot: bool = False
    command: str = ""


def forecast(
    deliveries: Iterable[Delivery],
    channels: Mapping[str, ChannelRow],
    rhythms: Mapping[str, Rhythm],
    now: datetime,
    prospects: Mapping[str, Prospect] = NOTHING_KNOWN,
) -> tuple[Forecast, ...]:
    """One forecast a delivery; `deliveries` come in the order of the queue, channel by channel.

    `prospects` tell how fast a channel goes, and how much is left to it.
    """
    found: list[Forecast] = []
    for name, waiting in groupby(deliveries, key=lambda delivery: delivery.channel):
        group = tuple(waiting)
        if name not in rhythms:
            found.extend(_stuck(group, Sentence("{name} is not configured any more", name=name)))
        elif channels[name].paused:
            resume = f"resume {name}"
            found.extend(_stuck(group, Sentence("the channel is paused"), resume))
        else:
            prospect = prospects.get(name, Prospect())
            found.extend(_of_channel(group, channels[name], rhythms[name], prospect, now))
    return tuple(found)


def _stuck(deliveries: Iterable[Delivery], why: str, command: str = "") -> Iterable[Forecast]:
    for one in deliveries:
        yield Forecast(one, None, one.reason or why, None, command="" if one.reason else command)


def _of_channel(
    deliveries: Sequence[Delivery], channel: ChannelRow, rhythm: Rhythm, prospect: Prospect, now: datetime
) -> list[Forecast]:
    found: dict[int, Forecast] = {}
    free, last_slot = now, credible(channel.last_slot, now)
    own: deque[Delivery] = deque()
    turn: deque[Delivery] = deque()
    for delivery in deliveries:
        if delivery.state is DeliveryState.PUBLISHING:
            left = _left(delivery)
            files, prospect = prospect.uploaded(_files(delivery, prospect, now), max(delivery.due, now))
            goes_on = files.at
            free = prospect.ends(left, goes_on, gap=rhythm.gap)
            prospect = prospect.after(left, goes_on, gap=rhythm.gap)
            found[delivery.id] = Forecast(delivery, goes_on, _under_way(delivery, now), free)
        elif delivery.state is not DeliveryState.QUEUED:
            begins = prospect.uploaded(_files(delivery, prospect, now), now)[0].at
            takes = prospect.ends(_left(delivery), begins, gap=rhythm.gap) - now
            found[delivery.id] = Forecast(
                delivery, None, delivery.reason, None, takes=takes, by_slot=rhythm.is_scheduled
            )
        else:
            (own if delivery.own_time else turn).append(delivery)
    own = deque(sorted(own, key=lambda delivery: (max(delivery.due, now), delivery.rank, delivery.id)))
    while own or turn:
        start = (
            rhythm.timetable.start_at(last_slot=last_slot, queued_at=turn[0].queued, now=free)
            if turn
            else None
        )
        if start is None or (own and max(own[0].due, free) <= start.at):
            delivery = own.popleft()
            at, why = max(delivery.due, free), Sentence("its own time")
        else:
            delivery, at, why = turn.popleft(), start.at, CAUSES[start.cause]
            last_slot = start.slot.utc if start.slot else last_slot
        files, prospect = prospect.uploaded(_files(delivery, prospect, now), at)
        room = prospect.room(_left(delivery), files.at, gap=rhythm.gap)
        prospect = prospect.after(_left(delivery), room.at, gap=rhythm.gap)
        free = room.ends
        found[delivery.id] = Forecast(
            delivery, room.at, room.reason or files.reason or why, free, by_slot=rhythm.is_scheduled
        )
    return [found[delivery.id] for delivery in deliveries]


def _under_way(delivery: Delivery, now: datetime) -> str:
    if delivery.code is Code.PERSON:
        return delivery.reason
    if delivery.due <= now or not delivery.reason:
        return Sentence("under way")
    return (
        delivery.reason
        if delivery.code is Code.ROOM
        else Sentence("waits until then: {reason}", reason=delivery.reason)
    )


def _files(delivery: Delivery, prospect: Prospect, now: datetime) -> int:
    """Files still to be uploaded. One that waits before its first post has used up a window, at the least."""
    if delivery.sent or delivery.code is Code.PERSON:
        return 0
    waits = delivery.state is DeliveryState.PUBLISHING and delivery.due > now
    return max(len(delivery.files) - (prospect.files.whole if waits and prospect.files else 0), 0)


def _left(delivery: Delivery) -> int:
    """Posts still to be sent; parts, before there are posts."""
    if delivery.code is Code.PERSON:
        return 0
    return max((delivery.posts or delivery.parts) - delivery.sent, 0)
