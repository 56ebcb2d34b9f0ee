"""How each channel stands: its next starts, what is left to it, what went wrong there last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from threadcast.bot.channels.budget import Prospect, Window
from threadcast.bot.publishing.forecast import Rhythm
from threadcast.queue.model import ChannelRow, Delivery
from threadcast.queue.outcomes import CHANNEL_FAULTS
from threadcast.queue.states import DeliveryState

NEXT: Final = 3  # slots that are told
FAULTS: Final = 3  # the newest of what stands still
STOPPED: Final = frozenset({DeliveryState.FAILED, DeliveryState.UNSURE})


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel now. `starts` are its next slots (UTC), `quiet` is until when it rests, None: it does not.

    `step` is how long a post takes, `left` are the windows of its limits now, `uploads` that of files.
    `faults` are deliveries that stand still there.
    """

    row: ChannelRow
    queued: int
    starts: tuple[datetime, ...]
    quiet: datetime | None
    step: timedelta
    left: tuple[Window, ...]
    uploads: Window | None
    faults: tuple[Delivery, ...]


def standing(
    row: ChannelRow,
    rhythm: Rhythm,
    prospect: Prospect,
    deliveries: Iterable[Delivery],
    *,
    queued: int,
    now: datetime,
) -> Standing:
    """Return how a channel stands; `deliveries` are those that go out there, and that stopped. Pure."""
    return Standing(
        row,
        queued,
        _slots(rhythm, now),
        rhythm.rest_until(now),
        prospect.step + rhythm.gap,
        tuple(one.at(now) for one in prospect.windows),
        None if prospect.files is None else prospect.files.at(now),
        tuple(one for one in deliveries if _is_wrong(one))[:FAULTS],
    )


def _is_wrong(one: Delivery) -> bool:
    return bool(one.reason) and (one.state in STOPPED or one.code in CHANNEL_FAULTS)


def _slots(rhythm: Rhythm, now: datetime) -> tuple[datetime, ...]:
    found: list[datetime] = []
    slot = rhythm.timetable.next_slot(now)
    while slot is not None and len(found) < NEXT:
        found.append(slot.utc)
        slot = rhythm.timetable.next_slot(slot.utc)
    return tuple(found)
