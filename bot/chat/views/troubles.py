"""When a channel is in trouble, and when it is back again. Pure: times are given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from threadcast.bot.chat.views.cards import reason
from threadcast.bot.chat.views.message import Message, Say, bold, code
from threadcast.bot.languages import _
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

    def see(self, one: Delivery, now: datetime) -> Say | None:
        """What is to be told of a delivery's channel; None: nothing new."""
        trouble = self._of.get(one.channel)
        if trouble is not None and _went_on(one, trouble):
            del self._of[one.channel]
            if not trouble.told:
                return None
            return partial(_over, one.channel, now - trouble.since)
        waits = one.state is DeliveryState.PUBLISHING and one.reason and one.due > now
        if not waits or one.code in FORESEEN:
            return None
        if trouble is None or (trouble.delivery != one.id and not trouble.told):  # that one stopped meanwhile
            trouble = self._of[one.channel] = _Trouble(now, one.id, one.sent)
        short = now - trouble.since < LONG and one.due - now < LONG
        if trouble.told or (short and one.code not in CHANNEL_FAULTS):
            return None
        trouble.told = True
        return partial(_told, one, trouble.since, now, self._zone)


def not_alone() -> Message:
    """Another program takes the updates of our bot."""
    said = _(
        "⚠️ Another program takes this bot's updates: some of what you write does not arrive here. "
        "Stop it, or set {setting} for one of the two."
    )
    return Message(said.format(setting=code("THREADCAST_TELEGRAM__LISTEN=false")))


def alone() -> Message:
    """It does not any more."""
    return Message(_("✅ Nobody else takes this bot's updates any more."), quiet=True)


def _over(channel: str, lasted: timedelta) -> Message:
    said = _("✅ {channel} is back again, after {time}.")
    return Message(said.format(channel=bold(channel), time=lasting(lasted)), quiet=True)


def _told(one: Delivery, since: datetime, now: datetime, zone: ZoneInfo) -> Message:
    if since < now:
        said = _("⚠️ {channel} has trouble since {time}: {reason}").format(
            channel=bold(one.channel), time=shortly(since, now, zone), reason=reason(one.reason)
        )
    else:
        said = _("⚠️ {channel} has trouble: {reason}").format(
            channel=bold(one.channel), reason=reason(one.reason)
        )
    if one.code in CHANNEL_FAULTS:
        then = _(
            "Nothing is lost: #{thread} goes on by itself, next try {time}; "
            "once it is mended, at once by {command}."
        )
    else:
        then = _("Nothing is lost: #{thread} goes on by itself, next try {time}.")
    again = shortly(one.due, now, zone)
    then = then.format(thread=one.thread_id, time=again, command=f"/retry {one.thread_id}")
    return Message(f"{said}\n{then}")


def _went_on(one: Delivery, trouble: _Trouble) -> bool:
    if one.state not in GOES:
        return False
    return one.sent > (trouble.sent if one.id == trouble.delivery else 0)
