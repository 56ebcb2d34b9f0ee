"""What the days hold for the channels that a thread is meant for: slots, quiet hours, what starts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from threadcast.bot.publishing.forecast import Rhythm
from threadcast.config.schedule.timetable import Timetable
from threadcast.config.schedule.zones import TICK, bounds, instant, wall

MOST_SLOTS = 8  # of a day


@dataclass(frozen=True, slots=True)
class Day:
    """A day: whether it has slots, how many chains start on it, and whether it is quiet from end to end."""

    date: date
    has_slots: bool
    starts: int
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Hour:
    """A time of a day (UTC), and whether it is quiet then."""

    at: datetime
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Agenda:
    """Days by the clocks of `zone`, for channels by name. `starts` is when other chains start (UTC)."""

    zone: ZoneInfo
    rhythms: Mapping[str, Rhythm]
    starts: tuple[datetime, ...] = ()

    def day(self, on: date) -> Day:
        """Return what a day holds."""
        begin, end = self._bounds(on)
        return Day(
            on,
            has_slots=any(_has_slot(table, begin, end) for table in self._tables()),
            starts=sum(begin <= start < end for start in self.starts),
            is_quiet=any(table.quiet.ends(begin, table.zone) >= end for table in self._tables()),
        )

    def is_quiet(self, at: datetime) -> bool:
        """Return whether a channel is quiet at a moment."""
        return any(table.quiet.is_quiet(at, table.zone) for table in self._tables())

    def slots(self, on: date, most: int = MOST_SLOTS) -> tuple[datetime, ...]:
        """Return the first slots of a day."""
        begin, end = self._bounds(on)
        found: set[datetime] = set()
        for table in self._tables():
            slot = table.next_slot(begin - TICK)
            mine: set[datetime] = set()
            while slot is not None and slot.utc < end and len(mine) < most:
                mine.add(slot.utc)
                slot = table.next_slot(slot.utc)
            found |= mine
        return tuple(sorted(found)[:most])

    def hours(self, on: date) -> tuple[Hour, ...]:
        """Return the full hours that the clocks show on a day; one that they show twice is the first."""
        every = [(local := datetime.combine(on, time(hour)), instant(local, self.zone)) for hour in range(24)]
        return tuple(
            Hour(at, self.is_quiet(at))
            for local, at in every
            if wall(at, self.zone) == local  # else the clocks skip it
        )

    def _tables(self) -> tuple[Timetable, ...]:
        return tuple(rhythm.timetable for rhythm in self.rhythms.values())

    def _bounds(self, on: date) -> tuple[datetime, datetime]:
        return bounds(on, self.zone)


def _has_slot(table: Timetable, begin: datetime, end: datetime) -> bool:
    slot = table.next_slot(begin - TICK)
    return slot is not None and slot.utc < end


def zone_of(rhythms: Mapping[str, Rhythm], otherwise: ZoneInfo) -> ZoneInfo:
    """Return the zone that all of these channels have; another where they differ, or there is none."""
    zones = {rhythm.timetable.zone for rhythm in rhythms.values()}
    return zones.pop() if len(zones) == 1 else otherwise
