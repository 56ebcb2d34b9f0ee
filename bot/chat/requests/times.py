"""When a person means: `tomorrow 9:00`, `fri 18:30`, `24 dec 18:30`, `in 2h`. Pure.

Dates and words for days are read by dateparser. It guesses, so it is asked only for what has a known form,
and never for a time of the day. What may mean two moments is refused: a question is better than a post at
the wrong hour.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from threadcast.config.schedule.durations import WEEKDAYS, parse_duration, place_in
from threadcast.config.schedule.zones import DAY, instant, wall

EXAMPLES = "tomorrow 9:00, fri 18:30, 24 dec 18:30 or in 2h"
LONGEST = 60  # characters
FARTHEST = timedelta(days=366)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
NEARLY_A_YEAR = timedelta(days=335)  # a date without a year that is farther away is one that has just passed
WEEK = 7
EVENING = time(17)  # when `tonight` begins

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

_HOUR = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?: ?(?P<half>[ap])\.?m\.?)?"
_CLOCK = rf"(?P<at>at |@ ?)?(?:{_HOUR}|(?P<word>noon|midnight))"
_BEHIND = re.compile(rf"(?:(?P<day>.+?) )??{_CLOCK}", re.ASCII)
_BEFORE = re.compile(rf"{_CLOCK} (?P<day>.+)", re.ASCII)

_ISO = re.compile(r"\d{4}-\d\d-\d\d[t ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:z|[+-]\d\d:?\d\d)?", re.ASCII)
_WORDS = re.compile(
    r"today|tonight|tomorrow|(?:the )?day after tomorrow|in \d{1,3} (?:days?|weeks?)", re.ASCII
)
_NAMED = re.compile(r"(?:(?P<which>this|next|coming) )?(?P<name>[a-z]{3,9})\.?")
_DATES = (
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?: of)? (?P<name>[a-z]{3,9})\.?(?: (?P<year>\d{4}))?",
    r"(?P<name>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?(?: (?P<year>\d{4}))?",
    r"(?P<day>\d{1,2})(?P<mark>[./])(?P<month>\d{1,2})(?:(?P=mark)(?P<year>\d{4})?)?",
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
)
_DATE = tuple(re.compile(rf"(?:(?P<weekday>[a-z]{{3,9}})\.? )?{form}", re.ASCII) for form in _DATES)
_ARTICLES = (("in half an hour", "in 30 minutes"), ("in an ", "in 1 "), ("in a ", "in 1 "))


class WhenError(Exception):
    """The time cannot be read, or has passed; the message says what would be read."""


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that a person means by their clock. Raises WhenError."""
    shown = " ".join(text.split())
    if len(shown) > LONGEST:
        raise WhenError(f"that is no time that I can read; write it as {EXAMPLES}")
    try:
        moment = _read(" ".join(shown.lower().replace(",", " ").split()), now, zone)
    except OverflowError:
        moment = END_OF_TIME
    if moment is None:
        raise WhenError(f"“{shown}” is no time that I can read; write it as {EXAMPLES}")
    if moment > now + FARTHEST:
        raise WhenError(f"“{shown}” is more than a year away; write a time before that")
    if moment <= now:
        raise WhenError(f"“{shown}” has passed; write a time to come, as {EXAMPLES}")
    return moment


def _read(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """None where it cannot be read. Raises OverflowError for what the calendar has no room for."""
    if _ISO.fullmatch(words):
        return _exact(words, zone)
    try:
        return now + _distance(words)
    except ValueError:
        pass
    if _day(words, wall(now, zone), None) is not None:
        raise WhenError(f"“{words}” needs a time of the day, too: {words} 18:30")
    for form in (_BEHIND, _BEFORE):
        found = form.fullmatch(words)
        moment = None if found is None else _at(found, now, zone)
        if moment is not None:
            return moment
    return None


def _exact(words: str, zone: ZoneInfo) -> datetime | None:
    """An ISO date and time, with an offset of its own or by the clock of the zone."""
    try:
        moment = datetime.fromisoformat(words.upper())
    except ValueError:  # the 31st of February
        return None
    return moment.astimezone(UTC) if moment.tzinfo else instant(moment, zone)


def _distance(words: str) -> timedelta:
    """`in 2h`, `90 minutes`: by elapsed time, whatever the clocks do meanwhile. Raises ValueError."""
    for article, number in _ARTICLES:
        words = words.replace(article, number)
    return parse_duration(words.removeprefix("in "))


def _at(found: "re.Match[str]", now: datetime, zone: ZoneInfo) -> datetime | None:
    """A time of the day, on a day or when it comes next."""
    clock = _clock(found)
    if clock is None:
        return None
    local, words = wall(now, zone), found["day"]
    if words is None:
        moment = instant(datetime.combine(local, clock), zone)
        return moment if moment > now else instant(datetime.combine(local + DAY, clock), zone)
    if words == "tonight" and clock < EVENING:
        return None
    day = _day(words.removeprefix("on "), local, clock)
    return None if day is None else instant(datetime.combine(day, clock), zone)


def _clock(found: "re.Match[str]") -> time | None:
    """The time of the day. A bare hour is one where it stands behind a day: `tomorrow 9`, `dec 24 at 9`."""
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
    """The day that words name, seen from a wall time. Without a clock: of whatever time of the day."""
    if _WORDS.fullmatch(words):
        return _ask(words.replace("tonight", "today").removeprefix("the "), local)
    named = _NAMED.fullmatch(words)
    if named is not None:
        weekday = place_in(WEEKDAYS, named["name"])
        return None if weekday is None else _weekday(weekday, named["which"], local, clock)
    dates = (form.fullmatch(words) for form in _DATE)
    return next((_date(found, local) for found in dates if found is not None), None)


def _weekday(weekday: int, which: str | None, local: datetime, clock: time | None) -> date:
    """The next day of this name, today where its time is still to come."""
    today = local.date()
    ahead = (weekday - today.weekday()) % WEEK
    if which != "this" and ahead == 0 and (which or (clock is not None and clock <= local.time())):
        ahead = WEEK
    day = today + timedelta(days=ahead)
    of_this_week = today.weekday() + ahead < WEEK
    if which == "next" and of_this_week:
        other = day + timedelta(days=WEEK)
        raise WhenError(
            f"“next {WEEKDAYS[weekday]}” may be {day:%-d %b} or {other:%-d %b}; "
            f"write the date, as {day:%-d %b} 18:30".lower()
        )
    return day


def _date(found: "re.Match[str]", local: datetime) -> date | None:
    """A date; without a year it is the next one, and not one that passed a few days ago."""
    part = found.groupdict()
    month = place_in(MONTHS, part["name"]) if "name" in part else int(part["month"]) - 1
    if month is None or not 0 <= month < len(MONTHS):
        return None
    # Seen from yesterday, for else today would be a year away.
    day = _ask(f"{int(part['day'])} {MONTHS[month]} {part['year'] or ''}", local - DAY)
    if day is None or (day.day, day.month) != (int(part["day"]), month + 1):
        return None
    if part["year"] is None and NEARLY_A_YEAR < day - local.date() <= FARTHEST:
        raise WhenError(f"that day has passed; if you mean next year's, write {day:%-d %b %Y} 18:30".lower())
    if part["weekday"] is not None:
        weekday = place_in(WEEKDAYS, part["weekday"])
        if weekday is None:
            return None
        if weekday != day.weekday():
            raise WhenError(f"{day:%-d %b %Y} is a {day:%A}; write the date alone, or the right day")
    return day


def _ask(words: str, base: datetime) -> date | None:
    import dateparser  # noqa: PLC0415  # slow to import, and seldom needed

    found = dateparser.parse(
        words,
        languages=["en"],
        settings={
            "RELATIVE_BASE": base,
            "PREFER_DATES_FROM": "future",
            "DATE_ORDER": "DMY",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return None if found is None else found.date()
