"""When a channel is in trouble, and when it is back again. Pure: times are given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from threadcast.bot.chat.views.cards import reason
from threadcast.bot.chat.views.message import Message, bold
from threadcast.bot.wording import lasting, shortly
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import CHANNEL_FAULTS, Code
from threadcast.queue.states import DeliveryState

LONG = timedelta(minutes=5)  # for which a chain waits on its network before that is told

# A delivery that goes on, or has come to its end well.
GOES = frozenset({DeliveryState.PUBLISHING, DeliveryState.PUBLISHED})


FORESEEN = frozenset({Code.ROOM, Code.QUIET})  # what a chain may wait for without any trouble


@dataclass
class _Trouble:
    since: datetime
    delivery: int
    sent: int
    told: bool = False


class Troubles:
    """Looks at deliveries as they go on; tells of a channel's trouble once, and of its end."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._of: dict[str, _Trouble] = {}

    def see(self, one: Delivery, now: datetime) -> Message | None:
        """What is to be told of a delivery's channel; None: nothing new."""
        trouble = self._of.get(one.channel)
        if trouble is not None and _went_on(one, trouble):
            del self._of[one.channel]
            if not trouble.told:
                return None
            return Message(
                f"✅ {bold(one.channel)} is back again, after {lasting(now - trouble.since)}.", quiet=True
            )
        waits = one.state is DeliveryState.PUBLISHING and one.reason and one.due > now
        if not waits or one.code in FORESEEN:
            return None
        if trouble is None or (trouble.delivery != one.id and not trouble.told):  # that one stopped meanwhile
            trouble = self._of[one.channel] = _Trouble(now, one.id, one.sent)
        short = now - trouble.since < LONG and one.due - now < LONG
        if trouble.told or (short and one.code not in CHANNEL_FAULTS):
            return None
        trouble.told = True
        since = f" since {shortly(trouble.since, now, self._zone)}" if trouble.since < now else ""
        mended = (
            f"; once it is mended, at once by /retry {one.thread_id}" if one.code in CHANNEL_FAULTS else ""
        )
        return Message(
            f"⚠️ {bold(one.channel)} has trouble{since}: {reason(one.reason)}\n"
            f"Nothing is lost: #{one.thread_id} goes on by itself, "
            f"next try {shortly(one.due, now, self._zone)}{mended}."
        )


def _went_on(one: Delivery, trouble: _Trouble) -> bool:
    if one.state not in GOES:
        return False
    return one.sent > (trouble.sent if one.id == trouble.delivery else 0)
