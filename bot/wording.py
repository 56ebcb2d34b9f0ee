"""The same facts in words, once for every face."""

from threadcast.config.schedule.words import WEEKDAYS, WhenCode, WhenError

TIMES = "tomorrow 9:00, fri 18:30, 24 dec 18:30 or in 2h"  # how a person may write a time


def time_refused(error: WhenError) -> str:  # noqa: PLR0911  # one each
    """Return why a time is refused, and what to write instead."""
    shown = f"“{error.text}”" if error.text else "that"
    days = [f"{day:%-d %b}".lower() for day in error.days]
    match error.code:
        case WhenCode.UNREADABLE:
            return f"{shown} is no time that I can read; write it as {TIMES}"
        case WhenCode.NO_TIME_OF_DAY:
            return f"{shown} needs a time of the day, too: {error.text} 18:30"
        case WhenCode.PASSED:
            return f"{shown} has passed; write a time to come, as {TIMES}"
        case WhenCode.TOO_FAR:
            return f"{shown} is more than a year away; write a time before that"
        case WhenCode.TWO_DAYS:
            weekday = WEEKDAYS[error.days[0].weekday()]
            return f"“next {weekday}” may be {days[0]} or {days[1]}; write the date, as {days[0]} 18:30"
        case WhenCode.DAY_PASSED:
            year = error.days[0].year
            return f"that day has passed; if you mean next year's, write {days[0]} {year} 18:30"
        case WhenCode.OTHER_WEEKDAY:
            day = error.days[0]
            return f"{day:%-d %b %Y} is a {day:%A}; write the date alone, or the right day"
