"""When a channel may start its next thread: slots, in wall time, found from any instant on.

A schedule is a pattern of wall times, the same in every zone; a zone's clocks make instants of them.
Nothing is remembered between two questions, so a restart finds the same slots.

A slot that the clocks skip comes late by what they skip (02:30 comes when they show 03:30), one that
they show twice comes the first time, and where two fall together there is one. So each wall time has
one slot, and each instant one at most.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import takewhile
from zoneinfo import ZoneInfo

from threadcast.config.schedule.cron import NICKNAMES, CronLine, parse_cron
from threadcast.config.schedule.durations import (
    parse_by_days,
    parse_duration,
    parse_time,
    say_days,
    say_times,
)
from threadcast.config.schedule.zones import DAY, TICK, instant, least_reading, wall

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=365)

_SAID_AT_MOST = 12  # times of a cron line; with more, the line itself says it shorter
_BARE_CRON = re.compile(r"[0-9*,/-]+(\s|$)")  # a minute, where a time of the day would have a colon
_MONDAY = datetime(2001, 1, 1)  # noqa: DTZ001 - a wall time
_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A time at which a channel may start its next thread: the instant, and the wall time asked for."""

    utc: datetime
    local: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """The same times each week; `days` has those of Monday first, in order."""

    days: tuple[tuple[time, ...], ...]

    def times(self, day: date) -> tuple[time, ...]:
        """The times of one day, in order."""
        return self.days[day.weekday()]


@dataclass(frozen=True, slots=True)
class Every:
    """A grid of wall times, counted from a Monday's midnight long ago.

    Steps that divide a day begin at midnight, those of seven days are on Mondays.
    """

    step: timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots of a channel, in whatever zone they are asked for."""

    pattern: Week | CronLine | Every

    def slots(self, after: datetime, zone: ZoneInfo) -> Iterator[Slot]:
        """The slots strictly after an instant, in order, without end."""
        waiting: list[Slot] = []
        local = least_reading(after, zone)
        while True:
            local = self.following(local)
            slot = Slot(instant(local, zone), local)
            heappush(waiting, slot)
            # A skipped one may come after others that are not found yet; all others come in order.
            if wall(slot.utc, zone) == local:
                yield from _settled(waiting, after, slot.utc)

    def next(self, after: datetime, zone: ZoneInfo) -> Slot:
        """The first slot strictly after an instant."""
        return next(self.slots(after, zone))

    def latest(self, at: datetime, zone: ZoneInfo) -> Slot:
        """The last slot that is not after an instant."""
        local = self.preceding(wall(at, zone))
        while instant(local, zone) > at:
            local = self.preceding(local - TICK)
        # Later are at most those of an hour that the clocks skip or repeat.
        *_, latest = takewhile(lambda slot: slot.utc <= at, self.slots(instant(local, zone) - TICK, zone))
        return latest

    def following(self, local: datetime) -> datetime:
        """The first wall time of the pattern after another."""
        if isinstance(self.pattern, Every):
            return local + self.pattern.step - (local - _MONDAY) % self.pattern.step
        day, times = local.date(), self.pattern.times(local.date())
        place = bisect_right(times, local.time())
        while place == len(times):
            day += DAY
            times, place = self.pattern.times(day), 0
        return datetime.combine(day, times[place])

    def preceding(self, local: datetime) -> datetime:
        """The last wall time of the pattern that is not after another."""
        if isinstance(self.pattern, Every):
            return local - (local - _MONDAY) % self.pattern.step
        day, times = local.date(), self.pattern.times(local.date())
        place = bisect_right(times, local.time())
        while place == 0:
            day -= DAY
            times = self.pattern.times(day)
            place = len(times)
        return datetime.combine(day, times[place - 1])


def _settled(waiting: list[Slot], after: datetime, until: datetime) -> Iterator[Slot]:
    """Take out the slots up to an instant, and give those after another, one for each instant."""
    while waiting and waiting[0].utc <= until:
        slot = heappop(waiting)
        # Of two that fall together, the last in the heap is the one whose wall time the clocks show.
        if slot.utc > after and not (waiting and waiting[0].utc == slot.utc):
            yield slot


def parse_schedule(text: str) -> Schedule:
    """A schedule as its owner writes it: times (with days), a cron line, or an interval.

    `mon-fri 09:00,13:00,18:30; sat 11:00`, `cron 0 9 * * mon-fri` (or the bare fields), `every 2h`.
    Raises ValueError with what was expected; the message holds nothing of what was written.
    """
    written = text.strip()
    first, rest = [*written.lower().split(maxsplit=1), "", ""][:2]
    if first == "every":
        return Schedule(_every(rest))
    if first == "cron":
        return Schedule(parse_cron(rest))
    if first in NICKNAMES or _BARE_CRON.match(written):
        return Schedule(parse_cron(written))
    groups = parse_by_days(written, parse_time)
    if not groups:
        raise ValueError(
            "expected times (mon-fri 09:00,13:00; sat 11:00), a cron line (cron 0 9 * * mon-fri) "
            "or an interval (every 2h)"
        )
    return Schedule(
        Week(
            tuple(
                tuple(sorted({each for days, times in groups if day in days for each in times}))
                for day in range(7)
            )
        )
    )


def _every(text: str) -> Every:
    step = parse_duration(text if text[:1].isdecimal() else f"1 {text}")
    if not SHORTEST <= step <= LONGEST or step % SHORTEST:
        raise ValueError("expected an interval of whole minutes, at most 365 days, for example every 2h")
    return Every(step)


def describe(schedule: Schedule) -> str:
    """A schedule for a person: `mon–fri at 09:00 and 18:30; sat at 11:00`, `every 2 hours`.

    Can be read back by `parse_schedule`, into a schedule with the same slots.
    """
    match schedule.pattern:
        case Every(step):
            unit, name = next(each for each in _UNITS if not step % each[0])
            count = step // unit
            return f"every {name}" if count == 1 else f"every {count} {name}s"
        case Week(days):
            return _say_week(days)
    line = schedule.pattern
    if line.weekly and len(line.clock) <= _SAID_AT_MOST:
        return _say_week(tuple(line.times(_MONDAY + DAY * day) for day in range(7)))
    return f"cron {line.text}"


def _say_week(days: tuple[tuple[time, ...], ...]) -> str:
    alike: dict[tuple[time, ...], list[int]] = {}
    for day, times in enumerate(days):
        if times:
            alike.setdefault(times, []).append(day)
    return "; ".join(f"{say_days(each)} at {say_times(times)}" for times, each in alike.items())
