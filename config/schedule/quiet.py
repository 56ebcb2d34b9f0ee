"""Quiet hours: when no thread starts. It is quiet while the clock on the wall shows a time of theirs."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from threadcast.config.schedule.words import parse_by_days, parse_time
from threadcast.config.schedule.zones import DAY, change_between, wall

WEEK = timedelta(days=7)

_NONE = timedelta()
_EXAMPLE = "for example 22:00-07:00, sat-sun 00:00-10:00"
_STRETCH = re.compile(r"([0-9:]+)-([0-9:]+)")
_MIDNIGHT = "24:00"  # a day's end


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Stretches of the week, in order and apart from each other, as begin and end counted from Monday.

    One that goes over the week's end is in two pieces.
    """

    stretches: tuple[tuple[timedelta, timedelta], ...] = ()

    def is_quiet(self, at: datetime, zone: ZoneInfo) -> bool:
        """Return whether no thread may start at an instant. A stretch's end is not part of it."""
        return self.end_after(wall(at, zone)) is not None

    def ends(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return the first instant from this one on (UTC) that is not quiet."""
        at = at.astimezone(UTC)
        while (end := self.end_after(local := wall(at, zone))) is not None:
            then = at + (end - local)
            # Where the clocks change on the way, look again at what they show right after that.
            at = then if wall(then, zone) == end else change_between(at, then, zone)
        return at

    def end_after(self, local: datetime) -> datetime | None:
        """Return the end of the stretch that a wall time is in; None where it is in none."""
        monday = datetime.combine(local.date() - DAY * local.weekday(), datetime.min.time())
        since = local - monday
        return next((monday + end for begin, end in self.stretches if begin <= since < end), None)


NEVER_QUIET = QuietHours()


def parse_quiet(text: str) -> QuietHours:
    """Quiet hours as their owner writes them: `22:00-07:00, sat-sun 00:00-10:00`.

    A stretch without days is for every day; one whose end is not after its begin ends on the next day,
    and counts to the day on which it begins. Raises ValueError with what was expected; the message holds
    nothing of what was written.
    """
    pieces: list[tuple[timedelta, timedelta]] = []
    for days, stretches in parse_by_days(text, _stretch):
        for day in days:
            for begin, end in stretches:
                pieces += _within_the_week(DAY * day + begin, DAY * day + end)
    if not pieces:
        raise ValueError(f"expected hours from-to, {_EXAMPLE}")
    joined: list[tuple[timedelta, timedelta]] = []
    for begin, end in sorted(pieces):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    if joined == [(_NONE, WEEK)]:
        raise ValueError(f"expected hours that leave some of the week, {_EXAMPLE}")
    return QuietHours(tuple(joined))


def _stretch(word: str) -> tuple[timedelta, timedelta]:
    read = _STRETCH.fullmatch(word)
    if not read:
        raise ValueError(f"expected hours from-to, {_EXAMPLE}")
    begin = _since_midnight(read[1])
    end = DAY if read[2] == _MIDNIGHT else _since_midnight(read[2])
    if begin == end:
        raise ValueError("expected two different hours, for example 22:00-07:00; 00:00-24:00 is a whole day")
    return begin, end if end > begin else end + DAY


def _since_midnight(word: str) -> timedelta:
    read = parse_time(word)
    return timedelta(hours=read.hour, minutes=read.minute)


def _within_the_week(begin: timedelta, end: timedelta) -> list[tuple[timedelta, timedelta]]:
    return [(begin, end)] if end <= WEEK else [(begin, WEEK), (_NONE, end - WEEK)]
