"""Cron lines: five fields (minute, hour, day of month, month, day of week), read as Vixie's cron does.

https://man7.org/linux/man-pages/man5/crontab.5.html
"""

import re
from dataclasses import dataclass
from datetime import date, time
from itertools import product
from types import MappingProxyType

from threadcast.config.schedule.durations import WEEKDAYS, place_in

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
NICKNAMES = MappingProxyType(
    {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    }
)

_NUMBER = re.compile(r"[0-9]{1,3}")
_EXAMPLE = "for example 0 9 * * mon-fri"
_FIELDS = 5
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of each month


@dataclass(frozen=True, slots=True)
class CronLine:
    """The days and the times of a cron line.

    `weekdays` count from Monday, 0. With `either`, a day counts that is one of the days or one of the
    weekdays; otherwise it has to be both.
    """

    text: str
    clock: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def times(self, day: date) -> tuple[time, ...]:
        """The times of one day, in order."""
        if day.month not in self.months:
            return ()
        by_day, by_week = day.day in self.days, day.weekday() in self.weekdays
        return self.clock if (by_day or by_week if self.either else by_day and by_week) else ()

    @property
    def weekly(self) -> bool:
        """Whether each week is like the other, so that the line says no more than days and times."""
        return not self.either and len(self.days) == max(_LONGEST) and len(self.months) == len(MONTHS)


def parse_cron(text: str) -> CronLine:
    """A cron line, or `@daily` and its like. Raises ValueError, also where the line could never fire.

    The day of week counts 0 and 7 as Sunday. Where neither the day of month nor the day of week
    begins with `*`, a day counts that matches either of them.
    """
    fields = NICKNAMES.get(text.strip().lower(), text).lower().split()
    if len(fields) != _FIELDS:
        raise ValueError(f"expected the five fields of a cron line, {_EXAMPLE}")
    minutes = _Field("minute", 0, 59).parse(fields[0])
    hours = _Field("hour", 0, 23).parse(fields[1])
    days = _Field("day of month", 1, 31).parse(fields[2])
    months = _Field("month", 1, 12, MONTHS).parse(fields[3])
    weekdays = _Weekdays("day of week", 0, 7, (WEEKDAYS[-1], *WEEKDAYS)).parse(fields[4])
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either and min(days) > max(_LONGEST[month - 1] for month in months):
        raise ValueError("expected a day that the month has: this cron line could never fire")
    return CronLine(
        text=" ".join(fields),
        clock=tuple(time(hour, minute) for hour, minute in product(sorted(hours), sorted(minutes))),
        days=days,
        months=months,
        weekdays=weekdays,
        either=either,
    )


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: its least and greatest number, and the names of these, if they have some."""

    what: str
    least: int
    greatest: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The numbers that a list of `*`, `n`, `n-m`, each perhaps with a `/step`, stands for."""
        return frozenset(number for item in text.split(",") for number in self._item(item))

    def _item(self, item: str) -> range:
        reach, slash, written = item.partition("/")
        step = self._number(written) if slash else 1
        if not 1 <= step <= self.greatest:
            raise self._wrong("a step that fits into it, such as */2")
        if reach == "*":
            return range(self.least, self.greatest + 1, step)
        begin, dash, end = reach.partition("-")
        first = self._value(begin)
        # `5/15` goes on to the end of the field.
        last = self._value(end) if dash else self.greatest if slash else first
        return self._range(first, last, step)

    def _range(self, first: int, last: int, step: int) -> range:
        if last < first:
            raise self._wrong("ranges that go upwards")
        return range(first, last + 1, step)

    def _value(self, word: str) -> int:
        place = place_in(self.names, word)
        value = self._number(word) if place is None else place + self.least
        if not self.least <= value <= self.greatest:
            raise self._wrong(self._reach())
        return value

    def _number(self, word: str) -> int:
        if not _NUMBER.fullmatch(word):
            raise self._wrong(self._reach())
        return int(word)

    def _reach(self) -> str:
        return f"{self.least}-{self.greatest}{' or names' if self.names else ''}"

    def _wrong(self, expected: str) -> ValueError:
        return ValueError(f"expected in the {self.what} of the cron line: {expected}; {_EXAMPLE}")


class _Weekdays(_Field):
    """Days of the week, where Sunday is 0 and 7 and a range may go over the week's end (`fri-mon`)."""

    def parse(self, text: str) -> frozenset[int]:
        """The days as datetime counts them, Monday being 0."""
        numbers = super().parse(text)
        return frozenset((number - 1) % 7 for number in numbers)

    def _range(self, first: int, last: int, step: int) -> range:
        return range(first, (last if last >= first else last + 7) + 1, step)
