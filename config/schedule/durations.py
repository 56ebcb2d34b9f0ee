"""How an owner writes days, times and durations: `mon-fri 09:00,13:00`, `sat-sun`, `1h30m`.

Any case, blanks where one likes. What cannot be read raises ValueError; its message says what was
expected, with an example, and holds nothing of what was written.
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import time, timedelta
from itertools import groupby
from typing import TypeVar

Item = TypeVar("Item")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY = frozenset(range(7))  # 0 is Monday, as for datetime

_GROUPS = {"daily": EVERY_DAY, "weekdays": frozenset(range(5)), "weekends": frozenset({5, 6})}
_SHORT = 3  # letters at least, of a name that is cut short
_RUN = 3  # days at least, to be said as `mon–wed`
_FILLERS = frozenset({"", "at", "and"})  # so that what `say_*` gives can be read back

_DASH = re.compile(r"\s*[-–]\s*")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DURATION = re.compile(
    r"(?:([0-9]{1,6})(?:w|weeks?))?"
    r"(?:([0-9]{1,6})(?:d|days?))?"
    r"(?:([0-9]{1,6})(?:h|hrs?|hours?))?"
    r"(?:([0-9]{1,6})(?:m|mins?|minutes?))?"
    r"(?:([0-9]{1,6})(?:s|secs?|seconds?))?"
)


def place_in(names: Sequence[str], word: str) -> int | None:
    """The place of a name, whole or cut to three letters or more, in lower case; None where it is none."""
    found = (place for place, name in enumerate(names) if len(word) >= _SHORT and name.startswith(word))
    return next(found, None)


def parse_time(word: str) -> time:
    """A time of the day on the 24-hour clock."""
    if not (read := _TIME.fullmatch(word)):
        raise ValueError("expected times of the day from 00:00 to 23:59, for example 09:00 or 18:30")
    return time(int(read[1]), int(read[2]))


def parse_duration(text: str) -> timedelta:
    """A duration in weeks, days, hours, minutes and seconds: `90s`, `2 h`, `1h30m`, `10 minutes`."""
    read = _DURATION.fullmatch(re.sub(r"\s+", "", text.lower()))
    if not read or not read[0]:
        raise ValueError("expected a duration with its unit (s, m, h, d or w), for example 90s, 2m or 1h30m")
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in read.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_by_days(text: str, parse_item: Callable[[str], Item]) -> list[tuple[frozenset[int], list[Item]]]:
    """Days with what happens on them: `mon-fri 09:00,13:00; sat 11:00`.

    Items without days are for every day. Days after an item begin a new group, as a semicolon does.
    """
    groups: list[tuple[frozenset[int], list[Item]]] = []
    for part in _DASH.sub("-", text.lower()).split(";"):
        days: frozenset[int] = frozenset()
        items: list[Item] = []
        for word in re.split(r"[,\s]+", part):
            if word in _FILLERS:
                continue
            named = _days(word)
            if named and items:
                groups.append((days or EVERY_DAY, items))
                days, items = named, []
            elif named:
                days |= named
            else:
                items.append(parse_item(word))
        if items:
            groups.append((days or EVERY_DAY, items))
        elif days:
            raise ValueError("expected times after the days, for example mon-fri 09:00,13:00")
    return groups


def _days(word: str) -> frozenset[int]:
    """The days that a word names; none where it is no day's name. A range may go over the week's end."""
    if word in _GROUPS:
        return _GROUPS[word]
    begin, dash, end = word.partition("-")
    first = place_in(WEEKDAYS, begin)
    last = place_in(WEEKDAYS, end) if dash else first
    if first is None or last is None:
        if word[0].isalpha():
            raise ValueError("expected names of days such as mon, sat-sun, daily, weekdays or weekends")
        return frozenset()
    return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))


def say_days(days: Collection[int]) -> str:
    """Days for a person: `daily`, `mon–fri`, `sat, sun`, `fri–mon`."""
    if set(days) == EVERY_DAY:
        return "daily"
    # Turned so that a run over the week's end stays in one piece.
    start = next(day for day in range(7) if day in days and (day - 1) % 7 not in days)
    turned = [(start + step) % 7 for step in range(7)]
    runs = [list(run) for chosen, run in groupby(turned, key=lambda day: day in days) if chosen]
    return ", ".join(_say_run([WEEKDAYS[day][:_SHORT] for day in run]) for run in runs)


def _say_run(names: list[str]) -> str:
    return f"{names[0]}–{names[-1]}" if len(names) >= _RUN else ", ".join(names)


def say_times(times: Sequence[time]) -> str:
    """Times for a person: `09:00, 13:00 and 18:30`."""
    *more, last = (f"{each:%H:%M}" for each in times)
    return f"{', '.join(more)} and {last}" if more else last
