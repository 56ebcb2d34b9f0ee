"""What the days of a calendar hold: what starts, free slots, quiet hours, by the viewer's clock. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from threadcast.bot.publishing.agenda import Agenda
from threadcast.config.schedule.zones import DAY, bounds, hours
from threadcast.queue.model import Delivery

WEEK: Final = 7
MOST_SLOTS: Final = 96  # of a channel on a day: one a quarter of an hour


@dataclass(frozen=True, slots=True)
class Started:
    """A delivery that starts, or started, at a moment (UTC); `waits`: it can get another one."""

    at: datetime
    delivery: Delivery
    waits: bool


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot of a channel (UTC) that nothing takes yet."""

    at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a day: its first moment (UTC), what is in it by time, and which channels are quiet then."""

    at: datetime
    holds: tuple[Started | FreeSlot, ...]
    quiet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An hour of a week; a day that skips it has None. `again`: the clocks show it for the second time."""

    hour: int
    again: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a month, with what is in it by time."""

    date: date
    holds: tuple[Started | FreeSlot, ...]


def monday(on: date) -> date:
    """Return the first day of the week that a day is in."""
    return on - DAY * on.weekday()


def week(agendas: Mapping[str, Agenda], starts: Iterable[Started], first: date, zone: ZoneInfo) -> list[Row]:
    """Return the hours of seven days. One that the clocks show twice on some day is there twice."""
    days = [first + DAY * step for step in range(WEEK)]
    holds = defaultdict(list)
    for one in _holds(agendas, starts, days, zone):
        holds[_hour(one.at, zone)].append(one)
    shown = [hours(day, zone) for day in days]
    rows: list[Row] = []
    for hour, again in sorted({key for day in shown for key in day}):
        cells: list[Cell | None] = []
        for day in shown:
            quarters = day.get((hour, again))
            if quarters is None:
                cells.append(None)
                continue
            quiet = (name for name, each in agendas.items() if all(map(each.is_quiet, quarters)))
            cells.append(Cell(quarters[0], tuple(holds[_hour(quarters[0], zone)]), tuple(quiet)))
        rows.append(Row(hour, again, tuple(cells)))
    return rows


def month(agendas: Mapping[str, Agenda], starts: Iterable[Started], on: date, zone: ZoneInfo) -> list[Day]:
    """Return the days of the weeks that a month is in."""
    first = monday(on.replace(day=1))
    end = (on.replace(day=28) + DAY * 4).replace(day=1)  # of the next month
    count = -(-(end - first).days // WEEK) * WEEK
    days = [first + DAY * step for step in range(count)]
    holds = defaultdict(list)
    for one in _holds(agendas, starts, days, zone):
        holds[one.at.astimezone(zone).date()].append(one)
    return [Day(day, tuple(holds[day])) for day in days]


def _holds(
    agendas: Mapping[str, Agenda], starts: Iterable[Started], days: Sequence[date], zone: ZoneInfo
) -> list[Started | FreeSlot]:
    """Return what starts on these days, and the slots that nothing takes, by time."""
    begin, end = bounds(days[0], zone)[0], bounds(days[-1], zone)[1]
    mine = [one for one in starts if begin <= one.at < end]
    found: list[Started | FreeSlot] = list(mine)
    for name, agenda in agendas.items():
        slots = [slot for day in days for slot in agenda.slots(day, MOST_SLOTS)]
        taken = {_slot(slots, one) for one in mine if one.delivery.channel == name}
        found += [FreeSlot(slot, name) for slot in slots if slot not in taken]
    return sorted(found, key=lambda one: one.at)


def _slot(slots: Sequence[datetime], one: Started) -> datetime | None:
    """The slot that a delivery takes: the one that it waits for, which may start it a little later."""
    place = bisect_right(slots, one.at)
    if not place or (one.delivery.own_time and slots[place - 1] != one.at):
        return None
    return slots[place - 1]


def _hour(at: datetime, zone: ZoneInfo) -> tuple[date, int, int]:
    local = at.astimezone(zone)
    return local.date(), local.hour, local.fold
