"""Which channels do not go on though they should. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from threadcast.bot.publishing.forecast import Rhythm
from threadcast.queue.model import Backlog, ChannelRow, Delivery, credible
from threadcast.queue.outcomes import CHANNEL_FAULTS
from threadcast.queue.states import DeliveryState

LATE: Final = timedelta(minutes=1)  # what might have begun so long ago and was not taken up is stuck


def stuck(
    backlog: Iterable[Backlog],
    begun: Sequence[Delivery],
    channels: Mapping[str, ChannelRow],
    rhythms: Mapping[str, Rhythm],
    now: datetime,
) -> dict[str, str]:
    """Return them by name, each with why; `begun` are the deliveries that are being published.

    What waits for its slot, for the end of quiet hours or of a pause, or behind another one is well.
    """
    goes = {name for name in rhythms if name in channels and not channels[name].paused}
    found = {}
    for one in begun:
        taken = one.lease_until is not None and one.lease_until > now
        if one.channel in rhythms and one.code in CHANNEL_FAULTS:
            found[one.channel] = one.reason
        elif one.channel in goes and not taken and one.due < now - LATE:
            found[one.channel] = f"thread {one.thread_id} was due at {one.due:%H:%M} UTC, and waits"
    goes -= {one.channel for one in begun}
    for some in backlog:
        if some.channel in goes and some.state is DeliveryState.QUEUED:
            at = _ready(some, channels[some.channel], rhythms[some.channel], now - LATE)
            if at <= now - LATE:
                found.setdefault(some.channel, f"what was due at {at:%H:%M} UTC was not taken up")
    return found


def _ready(some: Backlog, channel: ChannelRow, rhythm: Rhythm, moment: datetime) -> datetime:
    """Return when the first of these may begin, or might have by then, as things are at a moment."""
    if some.own_time:
        return some.since
    last_slot = credible(channel.last_slot, moment)
    start = rhythm.timetable.start_at(last_slot=last_slot, queued_at=some.since, now=moment)
    if start.at > moment:
        return start.at
    return some.since if start.slot is None else start.slot.utc
