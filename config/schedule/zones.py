"""Between the clock on a wall and UTC: the one place that knows what a change of the clocks does.

A wall time is a naive datetime, an instant an aware one in UTC.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
TICK = datetime.resolution


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks of a zone show at an instant."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a wall time comes.

    A time that the clocks show twice comes the first time. A time that they skip comes as long after
    the change as it is after the last time shown before it: 02:30, skipped, comes when they show 03:30.
    (That is what `fold=0` means: https://peps.python.org/pep-0495/#the-fold-attribute)
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def bounds(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a day begins, and when the next one does."""
    midnight = datetime.combine(on, time())
    return instant(midnight, zone), instant(midnight + DAY, zone)


def hours(on: date, zone: ZoneInfo) -> Mapping[tuple[int, bool], Sequence[datetime]]:
    """Return the hours that the clocks show on a day, and whether they show it again, each by its quarters.

    An hour that they skip is not there; of one that they skip a part of, there is the rest.
    """
    at, end = bounds(on, zone)
    found: dict[tuple[int, bool], list[datetime]] = {}
    while at < end:
        local = at.astimezone(zone)
        found.setdefault((local.hour, bool(local.fold)), []).append(at)
        at += QUARTER
    return found


def least_reading(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks show at an instant, or would show had they not been set forward within a day.

    Every wall time that comes later is after this one, those that the clocks skipped included. A day,
    for no zone ever skipped more (Samoa skipped 30 December 2011).
    """
    return min(wall(at, zone), wall(at - DAY, zone) + DAY)


def change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return when the clocks change, between two instants before and after it; whole seconds of UTC."""
    old = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
