"""What the headers of an answer say: how much a rate limit leaves, when it ends, what time it is. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from threadcast.bot.channels.port import Quota

SHORTEST_WAIT = timedelta(seconds=5)  # a server whose clock is behind must not be asked in a circle
LONGEST_WAIT = timedelta(days=1)  # Mastodon's widest window has 3 hours; more is a mistake


def quota_of(headers: Mapping[str, str], *, now: datetime) -> Quota | None:
    """What an answer's headers leave us, on the clock that `now` comes from; None where they do not say."""
    limit, remaining = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Remaining", "")
    reset = reset_at(headers, now=now)
    if reset is None or not _is_number(limit) or not _is_number(remaining):
        return None
    return Quota(int(limit), int(remaining), reset)


def reset_at(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """When the rate limit ends by an answer's headers, on the clock that `now` comes from.

    Mastodon gives the moment in ISO 8601, other servers in seconds since the epoch, proxies a
    `Retry-After` in seconds. Where there is a `Date`, the moment counts as a distance from that, so
    that a server whose clock is off does no harm.
    """
    reset, wait = _moment(headers.get("X-RateLimit-Reset", "")), headers.get("Retry-After", "")
    if reset is not None:
        distance = reset - (_date(headers.get("Date", "")) or now)
    elif _is_number(wait):
        distance = timedelta(seconds=int(wait))
    else:
        return None
    return now + min(max(distance, SHORTEST_WAIT), LONGEST_WAIT)


def ahead_by(headers: Mapping[str, str], *, now: datetime) -> timedelta:
    """How far the clock of whoever answered is ahead of the one that `now` comes from; 0 where untold.

    `now` is after the answer, and `Date` leaves out what is less than a second: the true value is this
    or more.
    """
    date = _date(headers.get("Date", ""))
    return timedelta(0) if date is None else date - now


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("1767225600")


def _moment(text: str) -> datetime | None:
    if _is_number(text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
