"""Whole years of schedules, with a clock that is given, against slots that are found by walking.

The oracle knows nothing of the code: it walks through a year in UTC in steps of five minutes, writes down
what the clock on the wall shows, and picks the wall times that a plain predicate wants.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from tests.config.schedule.test_schedule import forecast
from threadcast.config.schedule.quiet import QuietHours, parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
JITTER = timedelta(minutes=10)

# Each with a year: the half hour of Lord Howe, Morocco's two changes around Ramadan, Egypt's at
# midnight, and the day that Samoa left out.
YEARS = [
    ("UTC", 2026),
    ("Europe/Berlin", 2026),
    ("America/New_York", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Africa/Casablanca", 2026),
    ("Africa/Cairo", 2026),
    ("Asia/Kolkata", 2026),
    ("Pacific/Apia", 2011),
]

Wanted = Callable[[datetime], bool]


def clock(*times: str) -> Wanted:
    wanted = {time.fromisoformat(each) for each in times}
    return lambda local: local.time() in wanted


# Python's isoweekday: Monday is 1, Sunday 7.
SCHEDULES: dict[str, Wanted] = {
    "mon-fri 09:00,13:00,18:30; sat 11:00": lambda local: (
        (clock("09:00", "13:00", "18:30")(local) if local.isoweekday() <= 5 else clock("11:00")(local))
        and local.isoweekday() != 7
    ),
    "00:00,00:30,01:30,02:00,02:15,02:30,03:00,03:30": clock(
        "00:00", "00:30", "01:30", "02:00", "02:15", "02:30", "03:00", "03:30"
    ),
    "cron 30 2 * * fri-mon": lambda local: clock("02:30")(local) and local.isoweekday() in {5, 6, 7, 1},
    "*/20 0-4 * * 0": lambda local: local.isoweekday() == 7 and local.hour <= 4 and local.minute % 20 == 0,
    "15 2 29-31 * 7": lambda local: clock("02:15")(local) and (local.day >= 29 or local.isoweekday() == 7),
    "every 2h": lambda local: local.hour % 2 == 0 and local.minute == 0,
    "every 90m": lambda local: (local.hour * 60 + local.minute) % 90 == 0,
    "every 35m": lambda local: (local - datetime(2001, 1, 1)) % timedelta(minutes=35) == timedelta(),  # noqa: DTZ001
    "every 1d": clock("00:00"),
}

QUIET = "22:00-07:00, sat-sun 00:00-10:00"


def quiet_by_hand(local: datetime) -> bool:
    night = local.hour >= 22 or local.hour < 7
    return night or (local.isoweekday() >= 6 and local.hour < 10)


@dataclass(frozen=True)
class Found:
    """A slot of the oracle: when, and the wall time that was wanted."""

    utc: datetime
    local: datetime


@cache
def walls(zone: str, year: int) -> list[tuple[Found, bool]]:
    """Each wall time of a year, and some days around it: the first instant at which it is shown, or that
    as long after the last one shown as it reads, where it is skipped; and whether it is shown."""
    first: dict[datetime, datetime] = {}
    at, end = datetime(year - 1, 12, 27, tzinfo=UTC), datetime(year + 1, 1, 6, tzinfo=UTC)
    while at < end:
        first.setdefault(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0), at)
        at += STEP
    found: list[tuple[Found, bool]] = []
    local, last = min(first), max(first)
    instant = first[local]
    while local <= last:
        instant = first.get(local, instant + STEP)
        found.append((Found(instant, local), local in first))
        local += STEP
    return found


@cache
def walked(text: str, zone: str, year: int) -> list[Found]:
    """The slots of a year in UTC: wall times that are shown, and those skipped where no other slot is."""
    wanted = [(found, shown) for found, shown in walls(zone, year) if SCHEDULES[text](found.local)]
    slots = {found.utc: found for found, _ in reversed(wanted)}
    slots |= {found.utc: found for found, shown in wanted if shown}
    return [slots[at] for at in sorted(slots) if at.year == year]


def beginning(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "year"), YEARS)
@pytest.mark.parametrize("text", SCHEDULES)
def test_a_year_has_the_slots_that_walking_through_it_finds(text: str, zone: str, year: int) -> None:
    """A year's slots are those that are found minute by minute, with skipped and repeated hours."""
    begin, end = beginning(year), beginning(year + 1)
    slots = parse_schedule(text).slots(begin - timedelta(seconds=1), ZoneInfo(zone))
    found = [Found(slot.utc, slot.local) for slot in takewhile(lambda slot: slot.utc < end, slots)]
    assert found == walked(text, zone, year)


@pytest.mark.parametrize(("zone", "year"), YEARS)
@pytest.mark.parametrize("text", ["every 35m", "00:00,00:30,01:30,02:00,02:15,02:30,03:00,03:30"])
def test_the_latest_slot_is_the_one_that_walking_finds(text: str, zone: str, year: int) -> None:
    """At any moment of a year, the latest slot and the next are the neighbours that walking finds."""
    schedule, slots = parse_schedule(text), walked(text, zone, year)
    place, at = 0, slots[0].utc
    while at < slots[-1].utc:
        while slots[place + 1].utc <= at:
            place += 1
        assert schedule.latest(at, ZoneInfo(zone)).utc == slots[place].utc
        assert schedule.next(at, ZoneInfo(zone)).utc == slots[place + 1].utc
        at += timedelta(minutes=997)


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_quiet_hours_of_a_year_are_those_that_the_clock_shows(zone: str, year: int) -> None:
    """At each moment of a year it is quiet if the clock on the wall shows it, until it no longer does."""
    quiet, place = parse_quiet(QUIET), ZoneInfo(zone)
    at = beginning(year + 1)
    following = quiet.ends(at, place)
    while at > beginning(year):
        at -= 3 * STEP
        local = at.astimezone(place).replace(tzinfo=None)
        following = following if quiet_by_hand(local) else at
        assert quiet.is_quiet(at, place) == quiet_by_hand(local)
        if local.hour in {23, 2}:  # each night, and while the clocks change
            assert quiet.ends(at, place) == following


@dataclass
class Run:
    """What a year of a channel came to."""

    used: list[datetime]
    starts: list[datetime]


def run(timetable: Timetable, year: int, look: Callable[[datetime], datetime]) -> Run:
    """A channel whose queue is never empty, looked at when the plan says, or when `look` says instead."""
    done = Run([], [])
    queued_at = now = beginning(year)
    last_slot: datetime | None = queued_at - timedelta(seconds=1)
    while now < beginning(year + 1):
        start = timetable.start_at(last_slot=last_slot, queued_at=queued_at, now=now)
        assert start.slot
        if start.at <= now:
            done.used.append(start.slot.utc)
            done.starts.append(now)
            last_slot = start.slot.utc
        else:
            now = look(start.at)
    return done


def free(text: str, zone: str, year: int, quiet: bool) -> list[datetime]:
    return [
        slot.utc
        for slot in walked(text, zone, year)
        if not (quiet and quiet_by_hand(slot.utc.astimezone(ZoneInfo(zone))))
    ]


def timetable(text: str, zone: str, *, quiet: bool = True, jitter: timedelta = JITTER) -> Timetable:
    hours = parse_quiet(QUIET) if quiet else QuietHours()
    return Timetable("news", ZoneInfo(zone), parse_schedule(text), hours, jitter)


@pytest.mark.parametrize(("zone", "year"), YEARS)
@pytest.mark.parametrize("text", ["mon-fri 09:00,13:00,18:30; sat 11:00", "every 90m"])
def test_each_slot_of_a_year_is_used_once_and_none_in_quiet_hours(text: str, zone: str, year: int) -> None:
    """A channel that is never idle uses each slot of a year once, in order, none in quiet hours."""
    hours = timetable(text, zone)
    done = run(hours, year, lambda planned: planned)
    assert done.used == [slot for slot in free(text, zone, year, quiet=True) if slot <= done.used[-1]]
    assert beginning(year + 1) - done.used[-1] < 3 * DAY
    assert not any(quiet_by_hand(start.astimezone(ZoneInfo(zone))) for start in done.starts)
    assert all(
        timedelta() <= start - slot <= JITTER for start, slot in zip(done.starts, done.used, strict=True)
    )


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_a_year_of_outages_starts_one_thread_after_each(zone: str, year: int) -> None:
    """A service that is down now and then starts one thread on return, with the latest slot it missed."""
    text = "every 2h"
    random = Random(zone)  # noqa: S311 - any outages will do
    outages: list[tuple[datetime, datetime]] = []

    def sometimes_down(planned: datetime) -> datetime:
        if random.random() < 0.9:
            return planned
        outages.append((planned, planned + timedelta(minutes=random.randrange(1, 5000))))
        return outages[-1][1]

    done = run(timetable(text, zone, jitter=timedelta()), year, sometimes_down)
    slots = [slot for slot in free(text, zone, year, quiet=True) if slot <= done.used[-1]]
    assert done.used == sorted(set(done.used) & set(slots))
    assert not any(quiet_by_hand(start.astimezone(ZoneInfo(zone))) for start in done.starts)
    late = [(slot, start) for slot, start in zip(done.used, done.starts, strict=True) if slot < start]
    assert 10 < len(late) <= len(outages)
    assert not [each for slot, start in late for each in slots if slot < each <= start]  # the latest one
    missed = [slot for slot in slots if slot not in done.used]
    assert missed
    assert all(any(down <= slot < back for down, back in outages) for slot in missed)


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_a_clock_that_is_set_back_uses_no_slot_twice(zone: str, year: int) -> None:
    """In a year of a clock that is set back by hours now and then, each slot is used once, in order."""
    text = "every 2h"
    random = Random(zone)  # noqa: S311 - any steps will do

    def restless(planned: datetime) -> datetime:
        return planned - timedelta(minutes=random.choice([0] * 18 + [200, 45]))

    done = run(timetable(text, zone), year, restless)
    assert done.used == [slot for slot in free(text, zone, year, quiet=True) if slot <= done.used[-1]]
    assert beginning(year + 1) - done.used[-1] < 3 * DAY


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_a_forecast_of_a_year_is_what_the_year_brings(zone: str, year: int) -> None:
    """The forecast of a long queue, made once, is what happens."""
    hours, now = timetable("mon-fri 09:00,13:00,18:30; sat 11:00", zone), beginning(year)
    done = run(hours, year, lambda planned: planned)
    foreseen = forecast(hours, [now] * len(done.used), last_slot=now - timedelta(seconds=1), now=now)
    assert [start.at for start in foreseen] == done.starts
    assert [start.slot.utc for start in foreseen if start.slot] == done.used


def test_three_channels_in_three_zones_share_a_year() -> None:
    """Three channels with slots in three zones go through a year by one clock, each slot used once."""
    channels = {
        "news": ("mon-fri 09:00,13:00,18:30; sat 11:00", "Europe/Berlin"),
        "late": ("cron 30 2 * * fri-mon", "America/New_York"),
        "often": ("every 2h", "Australia/Lord_Howe"),
    }
    tables = {name: timetable(text, zone, quiet=False) for name, (text, zone) in channels.items()}
    used: dict[str, list[datetime]] = {name: [] for name in channels}
    now = beginning(2026)
    last = dict.fromkeys(channels, now - timedelta(seconds=1))
    while True:
        starts = {
            name: table.start_at(last_slot=last[name], queued_at=beginning(2026), now=now)
            for name, table in tables.items()
        }
        name, start = min(starts.items(), key=lambda each: each[1].at)
        now = max(now, start.at)
        if now >= beginning(2027):
            break
        assert start.slot
        used[name].append(start.slot.utc)
        last[name] = start.slot.utc
    for name, (text, zone) in channels.items():
        slots = free(text, zone, 2026, quiet=False)
        assert used[name] == slots[: len(used[name])]
        assert slots[len(used[name]) :] == [] or beginning(2027) - slots[len(used[name])] <= JITTER
