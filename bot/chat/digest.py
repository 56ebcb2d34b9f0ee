"""Once a day: what was published, what waits, and what comes next."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from threadcast.bot.chat.asking import button
from threadcast.bot.chat.cards import SIGNS, Look
from threadcast.bot.chat.lists import shown_ids
from threadcast.bot.chat.moments import count, shortly
from threadcast.bot.chat.said import Said, bold, esc
from threadcast.bot.forecast import Forecast
from threadcast.config.wall import instant, wall
from threadcast.queue.states import DeliveryState
from threadcast.queue.store import Delivery

FEW = 10
YOURS = (DeliveryState.UNSURE, DeliveryState.FAILED, DeliveryState.HELD)


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
    published: Sequence[Delivery], yours: Sequence[Delivery], coming: Sequence[Forecast], look: Look
) -> Said:
    """The message. Pure."""
    lines = [bold("Since yesterday"), f"Published: {count(len(published), 'chain')}"]
    lines += [f"{_name(one)} {esc(one.title)}" for one in published[:FEW]]
    lines += [f"… and {len(published) - FEW} more: /history"] if len(published) > FEW else []
    if yours:
        lines += ["", bold("Waiting for you")]
        lines += [f"{_name(one)} {one.state}: {esc(one.reason or one.title)}" for one in yours[:FEW]]
    starting = [one for one in coming if one.start is not None]
    lines += ["", bold("Next") if starting else "Nothing else waits." if yours else "Nothing waits."]
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
