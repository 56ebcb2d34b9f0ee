"""How people write days, times and durations: `mon-fri 09:00,13:00`, `1h30m`, `tomorrow 9:00`, `24 dec 9pm`.

from functools import reduce
The one reader of them, for settings, the shell and the chat. Any case, blanks where one likes. Settings are
in English alone, a moment may be in the language of who writes too.
What may mean two moments is refused: a question is better than a post at the wrong hour.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

from threadcast.config.schedule.languages import MONTHS, WEEKDAYS, in_english
from threadcast.config.schedule.zones import DAY, instant, wall

Item = TypeVar("Item")

WEEK = 7
EVERY_DAY = frozenset(range(WEEK))  # 0 is Monday, as for datetime

_GROUPS = {"daily": EVERY_DAY, "weekdays": frozenset(range(5)), "weekends": frozenset({5, 6})}
DAY_NAMES = (*(name[:3] for name in WEEKDAYS), *WEEKDAYS, *_GROUPS, "every", "cron")
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
    """Return the place of a name in lower case, whole or cut to three letters or more; None if it is none."""
    found = (place for place, name in enumerate(names) if len(word) >= _SHORT and name.startswith(word))
    return next(found, None)


# For settings: what cannot be read raises ValueError, whose message holds nothing of what was written ----


def parse_time(word: str) -> time:
    """Return a time of the day on the 24-hour clock."""
    if not (read := _TIME.fullmatch(word)):
        raise ValueError("expected times of the day from 00:00 to 23:59, for example 09:00 or 18:30")
    return time(int(read[1]), int(read[2]))


def parse_duration(text: str) -> timedelta:
    """Return a duration of weeks, days, hours, minutes and seconds: `90s`, `2 h`, `1h30m`, `10 minutes`."""
    read = _DURATION.fullmatch(re.sub(r"\s+", "", text.lower()))
    if not read or not read[0]:
        raise ValueError("expected a duration with its unit (s, m, h, d or w), for example 90s, 2m or 1h30m")
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in read.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_by_days(text: str, parse_item: Callable[[str], Item]) -> list[tuple[frozenset[int], list[Item]]]:
    """Return days with what happens on them: `mon-fri 09:00,13:00; sat 11:00`.

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
    """Return the days that a word names; none if it is no day's name. A range may go over the week's end."""
    if word in _GROUPS:
        return _GROUPS[word]
    begin, dash, end = word.partition("-")
    first = place_in(WEEKDAYS, begin)
    last = place_in(WEEKDAYS, end) if dash else first
    if first is None or last is None:
        if word[0].isalpha():
            raise ValueError("expected names of days such as mon, sat-sun, daily, weekdays or weekends")
        return frozenset()
    return frozenset((first + step) % WEEK for step in range((last - first) % WEEK + 1))


# Makes a sentence of a message, of its form for other numbers than one, and of what stands in its places.
Say = Callable[..., str]


def as_text(says: str, many: str = "", /, **about: object) -> str:
    """Return a sentence as text."""
    return (many if many and about["n"] != 1 else says).format(**about)


def say_days(days: Collection[int], say: Say = as_text) -> str:
    """Return days for a person: `daily`, `mon–fri`, `sat, sun`, `fri–mon`."""
    if set(days) == EVERY_DAY:
        return say("daily")
    # Turned so that a run over the week's end stays in one piece.
    start = next(day for day in range(WEEK) if day in days and (day - 1) % WEEK not in days)
    turned = [(start + step) % WEEK for step in range(WEEK)]
    runs = [list(run) for chosen, run in groupby(turned, key=lambda day: day in days) if chosen]
    return joined([_say_run([say(WEEKDAYS[day][:_SHORT]) for day in run], say) for run in runs], say)


def _say_run(names: list[str], say: Say) -> str:
    return say("{first}–{last}", first=names[0], last=names[-1]) if len(names) >= _RUN else joined(names, say)


def joined(said: Sequence[str], say: Say, how: str = "{first}, {second}") -> str:
    """Return several sentences as one."""
    return reduce(lambda first, second: say(how, first=first, second=second), said)


def say_times(times: Sequence[time], say: Say = as_text) -> str:
    """Return times for a person: `09:00, 13:00 and 18:30`."""
    *more, last = (f"{each:%H:%M}" for each in times)
    return say("{most} and {last}", most=", ".join(more), last=last) if more else last


# For the shell and the chat: one moment, seen from now ---------------------------------------------------

LONGEST = 60  # characters
FARTHEST = timedelta(days=366)
_NEARLY_A_YEAR = timedelta(days=335)  # a date without a year that is farther away has just passed
_LEAP = 8  # years at most from one 29 February to the next
_EVENING = time(17)  # when `tonight` begins

_HOUR = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?: ?(?P<half>[ap])\.?m\.?)?"
_CLOCK = rf"(?P<at>at |@ ?)?(?:{_HOUR}|(?P<word>noon|midnight))"
_BEHIND = re.compile(rf"(?:(?P<day>.+?) )??{_CLOCK}", re.ASCII)
_BEFORE = re.compile(rf"{_CLOCK} (?P<day>.+)", re.ASCII)

_ISO = re.compile(r"\d{4}-\d\d-\d\d[t ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:z|[+-]\d\d:?\d\d)?", re.ASCII)
_FROM_TODAY = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "the day after tomorrow": 2}
_AHEAD = re.compile(r"in (\d{1,3}) (day|week)s?", re.ASCII)
_NAMED = re.compile(r"(?:(?P<which>this|next|coming) )?(?P<name>[a-z]{3,9})\.?")
_DATES = (
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?: of)? (?P<name>[a-z]{3,9})\.?(?: (?P<year>\d{4}))?",
    r"(?P<name>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?(?: (?P<year>\d{4}))?",
    r"(?P<day>\d{1,2})(?P<mark>[./])(?P<month>\d{1,2})(?:(?P=mark)(?P<year>\d{4})?)?",
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
)
_DATE = tuple(re.compile(rf"(?:(?P<weekday>[a-z]{{3,9}})\.? )?{form}", re.ASCII) for form in _DATES)
_ARTICLES = (("in half an hour", "in 30 minutes"), ("in an ", "in 1 "), ("in a ", "in 1 "))


class WhenCode(StrEnum):
    """Why a time is refused."""

    UNREADABLE = "unreadable"
    NO_TIME_OF_DAY = "no-time-of-day"
    PASSED = "passed"
    TOO_FAR = "too-far"
    TWO_DAYS = "two-days"  # `days` has both
    DAY_PASSED = "day-passed"  # a date without a year; `days` has the next one
    OTHER_WEEKDAY = "other-weekday"  # `days` has the date, whose day of the week is another


@dataclass(eq=False)
class WhenError(Exception):
    """A time that cannot be meant: why, what was written (empty where too long to show), and which days."""

    code: WhenCode
    text: str = ""
    days: tuple[date, ...] = ()


def parse_when(
    text: str, *, now: datetime, zone: ZoneInfo, farthest: timedelta = FARTHEST, language: str = ""
) -> datetime:
    """Return the moment to come (UTC) that a person means by their clock, in their language or in English.

    `tomorrow 9:00`, `fri 18:30`, `24 dec 18:30`, `in 2h`, ISO 8601 with or without an offset. The moment is
    not more than `farthest` away. Raises WhenError.
    """
    shown = " ".join(text.split())
    if len(shown) > LONGEST:
        raise WhenError(WhenCode.UNREADABLE)
    words = " ".join(shown.lower().replace(",", " ").split())
    try:
        # A word that both have, as `mar` in Spanish, means what it does in theirs.
        moment = _read(in_english(words, language), now, zone) or _read(words, now, zone)
    except WhenError as error:
        error.text = error.text and words  # as it was written
        raise
    except OverflowError:  # the calendar has no room for it
        raise WhenError(WhenCode.TOO_FAR, shown) from None
    if moment is None:
        raise WhenError(WhenCode.UNREADABLE, shown)
    if moment <= now or moment - now > farthest:
        raise WhenError(WhenCode.PASSED if moment <= now else WhenCode.TOO_FAR, shown)
    return moment


def _read(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return None where it cannot be read. Raise OverflowError for what the calendar has no room for."""
    if _ISO.fullmatch(words):
        return _exact(words, zone)
    try:
        return now + _distance(words)
    except ValueError:
        pass
    if _day(words, wall(now, zone), None) is not None:
        raise WhenError(WhenCode.NO_TIME_OF_DAY, words)
    for form in (_BEHIND, _BEFORE):
        found = form.fullmatch(words)
        moment = None if found is None else _at(found, now, zone)
        if moment is not None:
            return moment
    return None


def _exact(words: str, zone: ZoneInfo) -> datetime | None:
    """Return an ISO date and time, with an offset of its own or by the clock of the zone."""
    try:
        moment = datetime.fromisoformat(words.upper())
    except ValueError:  # the 31st of February
        return None
    return moment.astimezone(UTC) if moment.tzinfo else instant(moment, zone)


def _distance(words: str) -> timedelta:
    """Return `in 2h`, `90 minutes`: elapsed time, whatever the clocks do meanwhile. Raise ValueError."""
    for article, number in _ARTICLES:
        words = words.replace(article, number)
    return parse_duration(words.removeprefix("in "))


def _at(found: "re.Match[str]", now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return a time of the day, on a day or when it comes next."""
    clock = _clock(found)
    if clock is None:
        return None
    local, words = wall(now, zone), found["day"]
    if words is None:
        moment = instant(datetime.combine(local, clock), zone)
        return moment if moment > now else instant(datetime.combine(local + DAY, clock), zone)
    if words == "tonight" and clock < _EVENING:
        return None
    day = _day(words.removeprefix("on "), local, clock)
    return None if day is None else instant(datetime.combine(day, clock), zone)


def _clock(found: "re.Match[str]") -> time | None:
    """Return the time of the day. A bare hour is one only behind a day: `tomorrow 9`, `dec 24 at 9`."""
    day, behind = found["day"], found.re is _BEHIND
    if found["word"] is not None:  # midnight: at the beginning of a day, or at its end?
        return None if day and found["word"] == "midnight" else time(12 if found["word"] == "noon" else 0)
    hour, minute, half = int(found["hour"]), found["minute"], found["half"]
    if minute is None and half is None:
        month_first = bool(day) and re.search(r"[a-z] \d", day) and not found["at"]  # `dec 24 9`
        if not day or not behind or month_first:
            return None
    if half is not None:
        if not 1 <= hour <= 12:  # noqa: PLR2004  # of a clock of twelve hours
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, int(minute or 0))
    except ValueError:
        return None


def _day(words: str, local: datetime, clock: time | None) -> date | None:
    """Return the day that words name, seen from a wall time. Without a clock: of whatever time of the day."""
    if words in _FROM_TODAY:
        return local.date() + DAY * _FROM_TODAY[words]
    if ahead := _AHEAD.fullmatch(words):
        return local.date() + DAY * int(ahead[1]) * (WEEK if ahead[2] == "week" else 1)
    if named := _NAMED.fullmatch(words):
        weekday = place_in(WEEKDAYS, named["name"])
        return None if weekday is None else _weekday(weekday, named["which"], local, clock)
    dates = (form.fullmatch(words) for form in _DATE)
    return next((_date(found.groupdict(), local.date()) for found in dates if found is not None), None)


def _weekday(weekday: int, which: str | None, local: datetime, clock: time | None) -> date:
    """Return the next day of this name, today where its time is still to come."""
    today = local.date()
    ahead = (weekday - today.weekday()) % WEEK
    if which != "this" and ahead == 0 and (which or (clock is not None and clock <= local.time())):
        ahead = WEEK
    day = today + DAY * ahead
    if which == "next" and today.weekday() + ahead < WEEK:
        raise WhenError(WhenCode.TWO_DAYS, days=(day, day + DAY * WEEK))
    return day


def _date(part: dict[str, str | None], today: date) -> date | None:
    """Return a date; without a year the next one, and not one that passed a few days ago."""
    month = place_in(MONTHS, part["name"] or "") if "name" in part else int(part["month"] or 0) - 1
    if month is None:
        return None
    years = [int(part["year"])] if part["year"] else range(today.year, today.year + _LEAP + 1)
    days = (_in_calendar(year, month + 1, int(part["day"] or 0)) for year in years)
    day = next((day for day in days if day is not None and (part["year"] or day >= today)), None)
    if day is None:
        return None
    if not part["year"] and _NEARLY_A_YEAR < day - today <= FARTHEST:
        raise WhenError(WhenCode.DAY_PASSED, days=(day,))
    if part["weekday"] is not None:
        weekday = place_in(WEEKDAYS, part["weekday"])
        if weekday is None:
            return None
        if weekday != day.weekday():
            raise WhenError(WhenCode.OTHER_WEEKDAY, days=(day,))
    return day


def _in_calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
