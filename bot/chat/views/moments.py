"""Moments and numbers as a person reads them in a chat. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

CELLS = 10  # of a progress bar


def exactly(moment: datetime, zone: ZoneInfo) -> str:
    """Date and time in full: `Fri 27 Nov 2026, 18:30 CET`."""
    return f"{moment.astimezone(zone):%a %-d %b %Y, %H:%M %Z}"


def shortly(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """As short as it can be told: `18:30`, `tomorrow 09:00`, `Fri 27 Nov 09:00`, `2 Jan 2027 09:00`."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days in {1, -1}:
        return f"{'tomorrow' if days > 0 else 'yesterday'} {local:%H:%M}"
    return f"{local:%a %-d %b %H:%M}" if local.year == today.year else f"{local:%-d %b %Y %H:%M}"


def lasting(span: timedelta) -> str:
    """How long something takes, roughly: `a few seconds`, `2 min`, `3 h`, `2 days`."""
    seconds = span.total_seconds()
    if seconds < 10:  # noqa: PLR2004
        return "a few seconds"
    if seconds < 90:  # noqa: PLR2004
        return f"{round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else count(round(hours / 24), "day")  # noqa: PLR2004


def bar(done: int, of: int) -> str:
    """How far something is: `▰▰▰▱▱▱▱▱▱▱`. Full only where all is done."""
    cells = min(CELLS * done // of, CELLS) if of else 0
    return "▰" * cells + "▱" * (CELLS - cells)


def count(number: int, what: str, many: str = "") -> str:
    """`1 part`, `3 parts`; `many` is a plural that has no s behind it."""
    return f"{number} {what if number == 1 else many or f'{what}s'}"
