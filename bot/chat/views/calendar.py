"""Which day, and which hour? A month and a day as buttons; the times that several threads would get. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.views.asking import numbers
from threadcast.bot.chat.views.message import Button, Message, bold, esc, rows
from threadcast.bot.languages import _
from threadcast.bot.languages.dates import written
from threadcast.bot.publishing.agenda import Agenda, Day
from threadcast.bot.wording import on_day
from threadcast.config.schedule.words import FARTHEST
from threadcast.config.schedule.zones import DAY, wall

WEEK = 7
ACROSS = 4  # hours on a row of buttons
SLOT, QUIET, SLOT_TIME, QUIET_TIME = "°", "░", "☆ ", "🌙 "
COUNTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
LISTED = 20  # threads that a list of times names one by one


@dataclass(frozen=True, slots=True)
class Asked:
    """For which threads a time is asked, how they stood then, and the time that it is."""

    threads: tuple[int, ...]
    stamp: str
    now: datetime
    elsewhere: bool = False  # the days are those of another zone than the chat's

    def button(self, label: str, verb: str, *words: str) -> Button:
        return button(label, verb, self.threads, *words, stamp=self.stamp)


def bounds(now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first day that can be picked, and the last."""
    return wall(now, zone).date(), wall(now + FARTHEST, zone).date()


def month(asked: Asked, agenda: Agenda, first: date, quick: Sequence[tuple[str, str]]) -> Message:
    """A month's days; `first` is its first one. `quick` are times that are asked for most: label, words."""
    today, last = bounds(asked.now, agenda.zone)
    end = _next_month(first)
    begin = max(first, today)
    shown = (begin + DAY * step for step in range((min(end, last + DAY) - begin).days))
    days = {one: agenda.day(one) for one in shown}
    lines = [_("When shall {threads} start?").format(threads=numbers(asked.threads))]
    lines += [*_legend(days.values()), *by_clock(asked, agenda)]
    typed = _("By typing, by your clock: {command}") if asked.elsewhere else _("By typing: {command}")
    lines += [typed.format(command=f"/at {asked.threads[0]} fri 18:30")]
    before = first - timedelta(days=first.weekday())
    weeks = [
        [_cell(asked, days.get(monday + DAY * day), today) for day in range(WEEK)]
        for monday in (before + DAY * start for start in range(0, (end - before).days, WEEK))
        if today - DAY * WEEK < monday <= last
    ]
    named = asked.button(written(first, "yMMMM", "%B %Y"), "nothing")
    back = asked.button("◀", "when", f"{first - DAY:%Y-%m}") if first > today else None
    on = asked.button("▶", "when", f"{end:%Y-%m}") if end <= last else None
    weekdays = [asked.button(name, "nothing") for name in _("Mo Tu We Th Fr Sa Su").split()]
    soon = [asked.button(label, "pick", words) for label, words in quick if first <= today]
    other = asked.button(_("Another time…"), "other-time")
    return Message(
        "\n".join(lines),
        rows((back, named, on), weekdays, *weeks, soon, (other, _card(asked, _("◀ Back")))),
    )


def day(asked: Asked, agenda: Agenda, on: date) -> Message:
    """The hours of a day that are still to come, its slots first."""
    slots = [at for at in agenda.slots(on) if at > asked.now]
    hours = [hour for hour in agenda.hours(on) if hour.at > asked.now]
    lines = [_("{threads} · {day}: at what time?").format(threads=numbers(asked.threads), day=on_day(on))]
    lines += [f"{SLOT_TIME}{_('a slot')}"] if slots else []
    lines += [f"{QUIET_TIME}{_('quiet hours')}"] if any(one.is_quiet for one in hours) else []
    lines += by_clock(asked, agenda)
    offered = [_time(asked, at, agenda.zone, SLOT_TIME) for at in slots]
    free = [
        _time(asked, one.at, agenda.zone, QUIET_TIME if one.is_quiet else "")
        for one in hours
        if one.at not in slots
    ]
    other = asked.button(_("Another time…"), "other-time", on.isoformat())
    back = asked.button(_("◀ Back"), "when", f"{on:%Y-%m}")
    return Message("\n".join(lines), rows(*_across(offered), *_across(free), (other, back)))


def times(asked: Asked, times: Sequence[tuple[str, str, str]], yes: Button, head: str) -> Message:
    """What several threads would get, before it is set. `times` are: which, when, its title."""
    lines = [bold(head)]
    lines += [f"{esc(which)} {bold(when)} {esc(title)}" for which, when, title in times[:LISTED]]
    if len(times) > LISTED:
        more = _("… and {n} more, the last on {when}").format(n=len(times) - LISTED, when=times[-1][1])
        lines.append(esc(more))
    return Message("\n".join(lines), rows((yes, _card(asked, _("No")))))


def _card(asked: Asked, label: str) -> Button:
    return button(label, "card", asked.threads)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _cell(asked: Asked, one: Day | None, today: date) -> Button:
    """A day as a button: `14`, `(14)` today, `14°` with a slot, `14²` with two chains, `░14` quiet."""
    if one is None:
        return asked.button("·", "nothing")
    count = "" if not one.starts else COUNTS[one.starts] if one.starts < len(COUNTS) else f"{COUNTS[9]}⁺"
    number = f"({one.date.day})" if one.date == today else str(one.date.day)
    label = f"{QUIET if one.is_quiet else ''}{number}{SLOT if one.has_slots else ''}{count}"
    return asked.button(label, "day", one.date.isoformat())


def _legend(days: Collection[Day]) -> list[str]:
    """What the signs beside the days mean, as far as they are there."""
    signs = (
        (any(one.has_slots for one in days), SLOT, _("a slot")),
        (any(one.starts for one in days), COUNTS[2], _("so many start that day")),
        (any(one.is_quiet for one in days), QUIET, _("quiet all day")),
    )
    said = " · ".join(f"{sign} {meaning}" for there, sign, meaning in signs if there)
    return [said] if said else []


def by_clock(asked: Asked, agenda: Agenda) -> list[str]:
    """By which clock the days and hours are, where it is not the chat's."""
    if not asked.elsewhere:
        return []
    return [esc(_("By the clock of {zone}.").format(zone=agenda.zone.key))]


def _time(asked: Asked, at: datetime, zone: ZoneInfo, sign: str) -> Button:
    local = at.astimezone(zone)
    return asked.button(f"{sign}{local:%-H:%M}", "pick", f"{at:%Y-%m-%dT%H:%MZ}")


def _across(every: Sequence[Button]) -> list[Sequence[Button]]:
    return [every[start : start + ACROSS] for start in range(0, len(every), ACROSS)]
