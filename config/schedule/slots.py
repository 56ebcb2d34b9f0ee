"""When a channel may start its next thread: slots, in wall time, found from any instant on.

A schedule is a pattern of wall times, the same in every zone; a zone's clocks make instants of them.
Nothing is remembered between two questions, so a restart finds the same slots.

A slot that the clocks skip comes late by what they skip (02:30 comes when they show 03:30), one that
they show twice comes the first time, and where two fall together there is one. So each wall time has
one slot, and each instant one at most.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import product, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from threadcast.config.schedule.languages import MONTHS, WEEKDAYS
from threadcast.config.schedule.words import (
    WEEK,
    Say,
    as_text,
    joined,
    parse_by_days,
    parse_duration,
    parse_time,
    place_in,
    say_days,
    say_times,
)
from threadcast.config.schedule.zones import DAY, TICK, instant, least_reading, wall

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=365)

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_SAID_AT_MOST = 12  # times of a cron line; with more, the line itself says it shorter
_GREATEST = (59, 23, 31, 12, 7)  # number of each field of a cron line: minute, hour, day, month, weekday
_PLAIN = re.compile(r"[0-9*,/-]+")
_RANGE = re.compile(r"([0-9])-([0-9])(?:/([0-9]))?")
_BARE_CRON = re.compile(r"[0-9*,/-]+(\s|$)")  # a minute, where a time of the day would have a colon
_MONDAY = datetime(2001, 1, 1)  # noqa: DTZ001 - a wall time
_UNITS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A time at which a channel may start its next thread: the instant, and the wall time asked for."""

    utc: datetime
    local: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """The same times each week; `days` has those of Monday first, in order."""

    days: tuple[tuple[time, ...], ...]

    def following(self, local: datetime) -> datetime:
        """Return the first wall time after another."""
        day, place = local.date(), bisect_right(self.days[local.weekday()], local.time())
        while place == len(self.days[day.weekday()]):
            day, place = day + DAY, 0
        return datetime.combine(day, self.days[day.weekday()][place])

    def preceding(self, local: datetime) -> datetime:
        """Return the last wall time that is not after another."""
        day, place = local.date(), bisect_right(self.days[local.weekday()], local.time())
        while place == 0:
            day -= DAY
            place = len(self.days[day.weekday()])
        return datetime.combine(day, self.days[day.weekday()][place - 1])


@dataclass(frozen=True, slots=True)
class Every:
    """A grid of wall times, counted from a Monday's midnight long ago.

    Steps that divide a day begin at midnight, those of seven days are on Mondays.
    """

    step: timedelta

    def following(self, local: datetime) -> datetime:
        """Return the first wall time after another."""
        return self.preceding(local) + self.step

    def preceding(self, local: datetime) -> datetime:
        """Return the last wall time that is not after another."""
        return local - (local - _MONDAY) % self.step


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line: `text` as its owner wrote it, `fields` in numbers, as cronsim reads them.

    It is asked about wall times alone, so its own rules for changes of the clocks never apply.
    """

    text: str
    fields: str

    def following(self, local: datetime) -> datetime:
        """Return the first wall time after another."""
        return next(CronSim(self.fields, local))

    def preceding(self, local: datetime) -> datetime:
        """Return the last wall time that is not after another."""
        return next(CronSim(self.fields, local + TICK, reverse=True))

    def week(self) -> Week | None:
        """Return the same as days and times; None where weeks differ, or it would be too long to say."""
        line = CronSim(self.fields, _MONDAY)
        differs = not line.day_and or len(line.days) < _GREATEST[2] or len(line.months) < len(MONTHS)
        if differs or len(line.hours) * len(line.minutes) > _SAID_AT_MOST:
            return None
        times = tuple(time(*each) for each in product(sorted(line.hours), sorted(line.minutes)))
        return Week(tuple(times if line.match_dow(_MONDAY + DAY * day) else () for day in range(WEEK)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots of a channel, in whatever zone they are asked for."""

    pattern: Week | Cron | Every

    def slots(self, after: datetime, zone: ZoneInfo) -> Iterator[Slot]:
        """Return the slots strictly after an instant, in order, without end."""
        waiting: list[Slot] = []
        local = least_reading(after, zone)
        while True:
            local = self.pattern.following(local)
            slot = Slot(instant(local, zone), local)
            heappush(waiting, slot)
            # A skipped one may come after others that are not found yet; all others come in order.
            if wall(slot.utc, zone) == local:
                yield from _settled(waiting, after, slot.utc)

    def next(self, after: datetime, zone: ZoneInfo) -> Slot:
        """Return the first slot strictly after an instant."""
        return next(self.slots(after, zone))

    def latest(self, at: datetime, zone: ZoneInfo) -> Slot:
        """Return the last slot that is not after an instant."""
        local = self.pattern.preceding(wall(at, zone))
        while instant(local, zone) > at:
            local = self.pattern.preceding(local - TICK)
        # Later are at most those of an hour that the clocks skip or repeat.
        *_, latest = takewhile(lambda slot: slot.utc <= at, self.slots(instant(local, zone) - TICK, zone))
        return latest


def _settled(waiting: list[Slot], after: datetime, until: datetime) -> Iterator[Slot]:
    """Take out the slots up to an instant, and give those after another, one for each instant."""
    while waiting and waiting[0].utc <= until:
        slot = heappop(waiting)
        # Of two that fall together, the last in the heap is the one whose wall time the clocks show.
        if slot.utc > after and not (waiting and waiting[0].utc == slot.utc):
            yield slot


def parse_schedule(text: str) -> Schedule:
    """Return a schedule as its owner writes it: times (with days), a cron line, or an interval.

    `mon-fri 09:00,13:00,18:30; sat 11:00`, `cron 0 9 * * mon-fri` (or the bare fields), `every 2h`.
    Raises ValueError with what was expected; the message holds nothing of what was written.
    """
    written = text.strip()
    first, rest = [*written.lower().split(maxsplit=1), "", ""][:2]
    if first == "every":
        return Schedule(_every(rest))
    if first == "cron":
        return Schedule(_cron(rest))
    if first in NICKNAMES or _BARE_CRON.match(written):
        return Schedule(_cron(written))
    groups = parse_by_days(written, parse_time)
    if not groups:
        raise ValueError(
            "expected times (mon-fri 09:00,13:00; sat 11:00), a cron line (cron 0 9 * * mon-fri) "
            "or an interval (every 2h)"
        )
    by_day = ({each for days, times in groups if day in days for each in times} for day in range(WEEK))
    return Schedule(Week(tuple(tuple(sorted(times)) for times in by_day)))


def _every(text: str) -> Every:
    step = parse_duration(text if text[:1].isdecimal() else f"1 {text}")
    if not SHORTEST <= step <= LONGEST or step % SHORTEST:
        raise ValueError("expected an interval of whole minutes, at most 365 days, for example every 2h")
    return Every(step)


def _cron(text: str) -> Cron:
    """Return a cron line, or `@daily` and its like: five fields, read as Vixie's cron does.

    The day of week counts 0 and 7 as Sunday, and may go over the week's end. Where neither the day of month
    nor the day of week begins with `*`, a day counts that matches either of them. Raise ValueError, also
    where the line could never fire. (https://man7.org/linux/man-pages/man5/crontab.5.html)
    """
    written = NICKNAMES.get(text.strip().lower(), text).lower().split()
    if len(written) != len(_GREATEST):
        raise ValueError("expected the five fields of a cron line, for example 0 9 * * mon-fri")
    *first, month, weekday = written
    weekdays = _numbers(weekday, (WEEKDAYS[-1], *WEEKDAYS[:-1]), 0)
    fields = [*first, _numbers(month, MONTHS, 1), _RANGE.sub(_over_the_week, weekdays)]
    if not all(map(_PLAIN.fullmatch, fields)):
        raise ValueError("expected in a cron line only numbers, names of days and months, * , - and /")
    for field, greatest in zip(fields, _GREATEST, strict=True):
        if any(int(step) > greatest for step in re.findall("/([0-9]+)", field)):
            raise ValueError("expected in a cron line a step that fits into its field, such as */2")
    try:
        CronSim(" ".join(fields), _MONDAY)
    except CronSimError as error:
        raise ValueError(f"expected a cron line, for example 0 9 * * mon-fri ({error})") from None
    return Cron(" ".join(written), " ".join(fields))


def _numbers(field: str, names: Sequence[str], least: int) -> str:
    """Return a field with numbers in place of names, the first of which is `least`."""

    def number(found: "re.Match[str]") -> str:
        place = place_in(names, found[0])
        return found[0] if place is None else str(place + least)

    return re.sub("[a-z]+", number, field)


def _over_the_week(found: "re.Match[str]") -> str:
    """Return a range of weekdays as cronsim takes it: `5-1` goes over the week's end."""
    first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if first <= last or not step or first > WEEK:
        return found[0]
    return ",".join(str(day % WEEK) for day in range(first, last + WEEK + 1, step))


def describe(schedule: Schedule, say: Say = as_text) -> str:
    """Return a schedule for a person: `mon–fri at 09:00 and 18:30; sat at 11:00`, `every 2 hours`.

    Can be read back by `parse_schedule`, into a schedule with the same slots.
    """
    match schedule.pattern:
        case Every(step):
            unit = next(each for each in _UNITS if not step % each)
            every = (
                say("every day", "every {n} days", n=step // unit),
                say("every hour", "every {n} hours", n=step // unit),
                say("every minute", "every {n} minutes", n=step // unit),
            )
            return every[_UNITS.index(unit)]
        case Week(days):
            return _say_week(days, say)
        case line:  # a cron line alone is left
            week = line.week()
            return _say_week(week.days, say) if week else f"cron {line.text}"


def _say_week(days: tuple[tuple[time, ...], ...], say: Say) -> str:
    alike: dict[tuple[time, ...], list[int]] = {}
    for day, times in enumerate(days):
        if times:
            alike.setdefault(times, []).append(day)
    said = [
        say("{days} at {times}", days=say_days(each, say), times=say_times(times, say))
        for times, each in alike.items()
    ]
    return joined(said, say, "{first}; {second}")
