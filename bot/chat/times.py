"""When a person means: `tomorrow 9:00`, `fri 18:30`, `in 2h`. Pure.

Days and dates are read by dateparser. What it would guess at, it is not asked: a time of the day has
to be there, or a distance from now.
"""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from threadcast.config.timewords import parse_duration
from threadcast.config.wall import instant, wall

EXAMPLES = "tomorrow 9:00, fri 18:30, 24 dec 18:30 or in 2h"
LONGEST = 60  # characters
FARTHEST = timedelta(days=366)

_CLOCK = re.compile(r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:)|\b(?:1[0-2]|0?[1-9])(?::[0-5]\d)? ?[ap]\.?m\b")
_NAMED = re.compile(r"\b(?:noon|midnight|morning|afternoon|evening|tonight)\b")
_DOTTED = re.compile(r"(?<![\d.])([01]?\d|2[0-3])\.([0-5]\d)$")  # 09.30, at the end
_HOUR = re.compile(r"(?<=[a-z] )([01]?\d|2[0-3])$")  # `tomorrow 9`, `mon at 9`
_MONTHS = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2}$")


class WhenError(Exception):
    """The time cannot be read, or has passed; the message says what would be read."""


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that a person means by their clock. Raises WhenError."""
    words = " ".join(text.lower().replace(",", " ").split())
    if len(words) > LONGEST:
        raise WhenError(f"that is no time that I can read; write it as {EXAMPLES}")
    moment = _distance(words, now) or _exact(text.strip(), zone) or _day(words, now, zone)
    if moment is None:
        raise WhenError(f"“{text.strip()}” is no time that I can read; write it as {EXAMPLES}")
    if moment <= now:
        raise WhenError(f"“{text.strip()}” has passed; write a time to come, as {EXAMPLES}")
    if moment > now + FARTHEST:
        raise WhenError(f"“{text.strip()}” is more than a year away; write a time before that")
    return moment


def _distance(words: str, now: datetime) -> datetime | None:
    """`in 2h`, `90 minutes`: by elapsed time, whatever the clocks do meanwhile."""
    try:
        return now + parse_duration(words.removeprefix("in "))
    except (ValueError, OverflowError):
        return None


def _exact(text: str, zone: ZoneInfo) -> datetime | None:
    """An ISO date and time, with an offset of its own or by the clock of the zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not re.search(r"\d[T ]\d", text):
        return None
    return moment if moment.tzinfo else instant(moment, zone)


def _day(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    import dateparser  # noqa: PLC0415  # slow to import, and seldom needed

    words = _DOTTED.sub(r"\1:\2", words)
    if not _MONTHS.search(words):
        words = _HOUR.sub(r"\1:00", words)
    clocks = _CLOCK.findall(words)
    if len(re.findall(r"\d:", words)) > len(clocks) or len(clocks) > 1:  # 25:00, or two of them
        return None
    if not clocks and not _NAMED.search(words):
        return None
    local = dateparser.parse(
        words.replace(" at ", " "),
        languages=["en"],
        settings={
            "RELATIVE_BASE": wall(now, zone),
            "PREFER_DATES_FROM": "future",
            "DATE_ORDER": "DMY",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return None if local is None else instant(local.replace(second=0, microsecond=0, tzinfo=None), zone)
