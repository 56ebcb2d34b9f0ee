"""When each delivery of the queue will start, why then, and when it should be through. Pure.

A forecast is what the scheduler will do if nothing goes wrong and nobody changes the queue: it asks the
same timetables the same questions, one delivery after the other.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from threadcast.config.timetable import Cause, Timetable
from threadcast.queue.states import DeliveryState
from threadcast.queue.store import ChannelRow, Delivery, credible

# What a post takes where nothing slows it down; Telegram lets about one a second into a chat.
A_POST = timedelta(seconds=1)

CAUSES = {Cause.TURN: "in turn", Cause.SLOT: "slot", Cause.QUIET: "after quiet hours"}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What sets a channel's times: when threads start, and how long a chain rests between two posts."""

    timetable: Timetable
    gap: timedelta


@dataclass(frozen=True, slots=True)
class Forecast:
    """`start` and `end` (UTC) are None where a person has to act first, and `why` says who or what."""

    delivery: Delivery
    start: datetime | None
    why: str
    end: datetime | None


def forecast(
    deliveries: Iterable[Delivery],
    channels: Mapping[str, ChannelRow],
    rhythms: Mapping[str, Rhythm],
    now: datetime,
) -> tuple[Forecast, ...]:
    """One forecast a delivery; `deliveries` come in the order of the queue, channel by channel."""
    found: list[Forecast] = []
    for name, waiting in groupby(deliveries, key=lambda delivery: delivery.channel):
        group = tuple(waiting)
        if name not in rhythms:
            found.extend(_stuck(group, f"{name} is not configured any more"))
        elif channels[name].paused:
            found.extend(_stuck(group, f"paused; threadcast resume {name}"))
        else:
            found.extend(_of_channel(group, channels[name], rhythms[name], now))
    return tuple(found)


def _stuck(deliveries: Iterable[Delivery], why: str) -> Iterable[Forecast]:
    return (Forecast(delivery, None, delivery.reason or why, None) for delivery in deliveries)


def _of_channel(
    deliveries: Sequence[Delivery], channel: ChannelRow, rhythm: Rhythm, now: datetime
) -> list[Forecast]:
    found: dict[int, Forecast] = {}
    free, last_slot = now, credible(channel.last_slot, now)
    own: deque[Delivery] = deque()
    turn: deque[Delivery] = deque()
    for delivery in deliveries:
        if delivery.state is DeliveryState.PUBLISHING:
            goes_on = max(delivery.due, now)
            free = goes_on + _takes(delivery, rhythm)
            why = (
                f"waits until then: {delivery.reason}"
                if delivery.due > now and delivery.reason
                else "under way"
            )
            found[delivery.id] = Forecast(delivery, goes_on, why, free)
        elif delivery.state is not DeliveryState.QUEUED:
            found[delivery.id] = Forecast(delivery, None, delivery.reason, None)
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
            at, why = max(delivery.due, free), "its own time"
        else:
            delivery, at, why = turn.popleft(), start.at, CAUSES[start.cause]
            last_slot = start.slot.utc if start.slot else last_slot
        free = at + _takes(delivery, rhythm)
        found[delivery.id] = Forecast(delivery, at, why, free)
    return [found[delivery.id] for delivery in deliveries]


def _takes(delivery: Delivery, rhythm: Rhythm) -> timedelta:
    left = max((delivery.posts or delivery.parts) - delivery.sent, 0)
    return left * A_POST + max(left - 1, 0) * rhythm.gap
