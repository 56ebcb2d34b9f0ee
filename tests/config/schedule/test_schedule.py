"""Schedules, quiet hours and timetables: tables of cases, and the laws that hold for all of them."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.config.schedule.languages import WEEKDAYS
from threadcast.config.schedule.quiet import parse_quiet
from threadcast.config.schedule.slots import Schedule, describe, parse_schedule
from threadcast.config.schedule.timetable import Cause, Start, Timetable
from threadcast.config.schedule.words import EVERY_DAY, parse_duration, say_days
from threadcast.config.schedule.zones import TICK, hours, instant, wall

CASES: dict[str, list[Any]] = tomllib.loads(
    Path(__file__).with_name("schedule_cases.toml").read_text(encoding="utf-8")
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
GREENWICH = ZoneInfo("UTC")


# What is written


def forecast(
    timetable: Timetable, queued: list[datetime], *, last_slot: datetime | None, now: datetime
) -> list[Start]:
    """When each thread of a queue starts, if none is late for the next."""
    starts: list[Start] = []
    for queued_at in queued:
        start = timetable.start_at(last_slot=last_slot, queued_at=queued_at, now=now)
        last_slot = start.slot.utc if start.slot else None
        starts.append(start)
    return starts


@pytest.mark.parametrize("case", CASES["read"], ids=lambda case: case[0])
def test_what_an_owner_writes_has_the_slots_of_the_table(case: list[Any]) -> None:
    """Each way to write a schedule gives exactly its slots, also where the clocks change, and is said back.

    What a person is told of a schedule can be written to have the same slots.
    """
    _, text, says, zone, after, slots, *utc = case
    schedule = parse_schedule(text)
    found = list(islice(schedule.slots(after, ZoneInfo(zone)), len(slots)))
    assert [slot.local.isoformat(timespec="minutes") for slot in found] == slots
    assert not utc or [slot.utc for slot in found] == utc[0]
    assert {slot.utc.tzinfo for slot in found} == {UTC}
    assert describe(schedule) == says
    again = parse_schedule(says)
    assert list(islice(again.slots(after, BERLIN), 50)) == list(islice(schedule.slots(after, BERLIN), 50))


@pytest.mark.parametrize(("name", "parse"), [("refused", parse_schedule), ("no_quiet", parse_quiet)])
def test_what_cannot_be_read_is_refused(name: str, parse: Callable[[str], object]) -> None:
    """What is no schedule, no quiet hours, or quiet all of the week, is refused with what was expected."""
    for case in CASES[name]:
        with pytest.raises(ValueError, match=r"^expected ") as refused:
            parse(case["text"])
        assert case["says"] in str(refused.value)


def test_durations() -> None:
    """A duration is read in any of its forms; what is none is refused with an example."""
    for case in CASES["duration"]:
        assert parse_duration(case["text"]) == timedelta(seconds=case["seconds"])
    for case in CASES["no_duration"]:
        with pytest.raises(ValueError, match="for example 90s"):
            parse_duration(case["text"])


@pytest.mark.parametrize("case", CASES["quiet"], ids=lambda case: case["why"])
def test_quiet_hours_end_when_the_table_says(case: dict[str, Any]) -> None:
    """Quiet hours last from any of their instants to the end in the table."""
    quiet, zone = parse_quiet(case["text"]), ZoneInfo(case["zone"])
    assert quiet.is_quiet(case["at"], zone) == (case["ends"] > case["at"])
    assert quiet.ends(case["at"], zone) == case["ends"]
    assert not quiet.is_quiet(case["ends"], zone)


@given(st.text(max_size=30) | st.from_regex(r"[mondayevrcnths0-9:,;*/ @-]{0,30}", fullmatch=True))
@settings(deadline=None)
def test_a_refusal_never_shows_the_value(text: str) -> None:
    """Whatever is written is read, or refused in words that do not depend on it."""
    words = text.split()
    for parse in (parse_schedule, parse_quiet, parse_duration):
        try:
            parse(text)
        except ValueError as refused:
            message = str(refused)
            assert message.startswith("expected ")
            assert not any(len(word) > 8 and word in message for word in words)


@given(st.frozensets(st.integers(0, 6), min_size=1))
def test_days_are_said_as_they_are_read(days: frozenset[int]) -> None:
    """Any set of days is said in a way that is read as the same days."""
    schedule = parse_schedule(f"{say_days(days)} 12:00")
    monday = datetime(2026, 11, 23)  # noqa: DTZ001 - a wall time
    assert {
        day for day in EVERY_DAY if schedule.pattern.following(monday + DAY * day).weekday() == day
    } == days


@pytest.mark.parametrize(
    ("at", "latest"),
    [
        ("2026-03-29T01:29", "2026-03-28T01:30"),
        ("2026-03-29T01:30", "2026-03-29T01:30"),
        ("2026-10-25T00:30", "2026-10-25T00:30"),
        ("2026-10-25T01:30", "2026-10-25T00:30"),
    ],
)
def test_the_latest_slot_where_the_clocks_change(at: str, latest: str) -> None:
    """A slot that the clocks skip comes late; one that they repeat comes the first time."""
    asked, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, latest))
    assert parse_schedule("02:30").latest(asked, BERLIN).utc == expected


@pytest.mark.parametrize(
    ("day", "zone", "count", "absent", "again"),
    [
        ("2026-03-28", "Europe/Berlin", 96, {}, {}),
        ("2026-03-29", "Europe/Berlin", 92, {2: 4}, {}),
        ("2026-10-25", "Europe/Berlin", 100, {}, {2: 4}),
        ("2026-10-04", "Australia/Lord_Howe", 94, {2: 2}, {}),
        ("2026-04-05", "Australia/Lord_Howe", 98, {}, {1: 2}),
    ],
)
def test_the_hours_of_a_day(
    day: str, zone: str, count: int, absent: dict[int, int], again: dict[int, int]
) -> None:
    """A day has its hours by quarters: without those that the clocks skip, and those they repeat twice."""
    shown = hours(datetime.fromisoformat(day).date(), ZoneInfo(zone))
    assert sum(map(len, shown.values())) == count
    missing = {hour: 4 - len(shown.get((hour, False), ())) for hour in range(24)}
    assert {hour: quarters for hour, quarters in missing.items() if quarters} == absent
    assert {hour: len(quarters) for (hour, fold), quarters in shown.items() if fold} == again


# Laws

NAMES = """UTC Europe/Berlin America/New_York Australia/Lord_Howe Africa/Casablanca Africa/Cairo Asia/Kolkata
Pacific/Apia"""
# Days on which the clocks of one of them change.
DAYS = """2011-12-30 2026-02-15 2026-03-08 2026-03-22 2026-03-29 2026-04-05 2026-04-23T12:00 2026-10-04
2026-10-25 2026-10-29T12:00 2026-11-01"""
CHANGES = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in DAYS.split()]
zones = st.sampled_from([ZoneInfo(name) for name in NAMES.split()])
times_of_day = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
day_names = st.sampled_from(["", "mon-fri ", "sat,sun ", "fri-mon ", *(f"{day} " for day in WEEKDAYS)])
groups = st.builds(
    lambda days, times: days + ",".join(times), day_names, st.lists(times_of_day, min_size=1, max_size=4)
)
cron_lines = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["*", "*/7", "0", "30", "5-20/5", "0,45"]),
    st.sampled_from(["*", "0", "1-4", "2,3", "*/5", "23"]),
    st.sampled_from(["*", "1", "28-31", "*/9", "29"]),
    st.sampled_from(["*", "mar-oct", "*/2", "10"]),
    st.sampled_from(["*", "0", "7", "fri-mon", "mon-fri", "*/2"]),
)
written = st.one_of(
    st.lists(groups, min_size=1, max_size=3).map("; ".join),
    cron_lines,
    st.integers(1, 5000).map("every {}m".format),
)
schedules = written.map(parse_schedule)
moments = st.one_of(
    st.builds(lambda day, hours: day + hours, st.sampled_from(CHANGES), st.timedeltas(-36 * HOUR, 36 * HOUR)),
    st.timedeltas(timedelta(), 40 * 365 * DAY).map(datetime(2000, 1, 1, tzinfo=UTC).__add__),
)
quiets = st.one_of(
    st.just("22:00-07:00, sat-sun 00:00-10:00"),
    st.just("01:00-03:30"),
    st.just("02:15-02:45; sun 00:00-24:00"),
    st.builds(
        "{}{}:{:02}-{}:{:02}".format,
        st.sampled_from(["", "mon-fri ", "sat-sun "]),
        st.integers(0, 11),
        st.integers(0, 59),
        st.integers(12, 23),
        st.integers(0, 59),
    ),
).map(parse_quiet)


@given(schedules, moments, zones)
@settings(deadline=None)
def test_next_and_latest_belong_together(schedule: Schedule, at: datetime, zone: ZoneInfo) -> None:
    """The next slot is later than the moment asked about, the latest one is not, and nothing lies between."""
    following, latest = schedule.next(at, zone), schedule.latest(at, zone)
    assert latest.utc <= at < following.utc
    assert schedule.latest(following.utc, zone) == following
    assert schedule.latest(following.utc - TICK, zone) == latest
    assert schedule.next(latest.utc, zone) == following
    assert schedule.next(latest.utc - TICK, zone) == latest


@given(schedules, moments, zones, st.integers(0, 29))
@settings(deadline=None)
def test_slots_are_in_order_and_single(
    schedule: Schedule, after: datetime, zone: ZoneInfo, restart: int
) -> None:
    """Slots are in order, none twice by instant or wall time, and the same from any of them on."""
    found = list(islice(schedule.slots(after, zone), 30))
    assert all(one.utc < other.utc for one, other in pairwise(found))
    assert len({slot.local for slot in found}) == len(found)
    assert list(islice(schedule.slots(found[restart].utc, zone), 29 - restart)) == found[restart + 1 :]
    for slot in found:
        shown = wall(slot.utc, zone)
        skipped = wall(instant(slot.local, zone), zone) != slot.local
        assert shown > slot.local if skipped else shown == slot.local


@given(quiets.filter(lambda quiet: bool(quiet.stretches)), moments, zones)
@settings(deadline=None)
def test_quiet_hours_are_what_the_clock_on_the_wall_shows(quiet: Any, at: datetime, zone: ZoneInfo) -> None:
    """It is quiet from any moment of quiet hours to their end, and at their end it is not."""
    end = quiet.ends(at, zone)
    assert not quiet.is_quiet(end, zone)
    assert (end == at) != quiet.is_quiet(at, zone)
    steps = (at + 7 * MINUTE * step for step in range((end - at) // (7 * MINUTE)))
    assert all(quiet.is_quiet(each, zone) for each in steps)
    assert end == at or quiet.is_quiet(end - TICK, zone)


@given(
    schedules,
    quiets,
    zones,
    moments,
    st.timedeltas(timedelta(), 5 * HOUR),
    st.timedeltas(timedelta(), 3 * DAY),
    st.none() | st.timedeltas(-3 * DAY, 3 * DAY),
    st.floats(0, 1, exclude_max=True),
)
@settings(deadline=None)
def test_a_restart_keeps_the_plan(
    schedule: Schedule,
    quiet: Any,
    zone: ZoneInfo,
    now: datetime,
    jitter: timedelta,
    waited: timedelta,
    used: timedelta | None,
    share: float,
) -> None:
    """Asked again at any time before a thread's start, the plan is the same: start, slot and cause."""
    try:
        timetable = Timetable("news", zone, schedule, quiet, jitter)
    except ValueError:
        return  # quiet hours leave no slot
    last_slot = None if used is None else now + used
    queued_at = now - waited
    start = timetable.start_at(last_slot=last_slot, queued_at=queued_at, now=now)
    assert start.slot
    assert start.at >= now
    assert not quiet.is_quiet(start.at, zone)
    assert not quiet.is_quiet(start.slot.utc, zone)
    assert start.slot.utc >= queued_at
    assert last_slot is None or start.slot.utc > last_slot
    assert start.slot.utc <= start.at
    again = now + (start.at - now) * share
    if again < start.at:
        assert timetable.start_at(last_slot=last_slot, queued_at=queued_at, now=again) == start
    # While it starts it is what the moment says, and afterwards another slot.
    assert timetable.start_at(last_slot=last_slot, queued_at=queued_at, now=start.at).at == start.at
    then = timetable.start_at(last_slot=start.slot.utc, queued_at=queued_at, now=start.at)
    assert then.at > start.at


@given(schedules, zones, moments, st.timedeltas(MINUTE, DAY), st.sampled_from(["news", "masto"]))
@settings(deadline=None)
def test_jitter_stays_before_the_next_slot(
    schedule: Schedule, zone: ZoneInfo, at: datetime, jitter: timedelta, name: str
) -> None:
    """A jittered start is between its slot and the next one, and no further off than the jitter."""
    timetable = Timetable(name, zone, schedule, jitter=jitter)
    one, other = islice(schedule.slots(at, zone), 2)
    start = timetable.jittered(one)
    assert one.utc <= start <= one.utc + jitter
    assert start < other.utc
    assert timetable.jittered(one) == start


# Starts, with a clock that is given


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = Timetable("news", GREENWICH, parse_schedule("09:00,13:00,18:00"))
NIGHT = parse_quiet("22:00-07:00")


@pytest.mark.parametrize("case", CASES["start"], ids=lambda case: case[0])
def test_a_thread_starts_with_the_slot_that_is_its_own(case: list[str]) -> None:
    """A thread starts with the latest slot that nobody used and that came after it was added, or the next."""
    _, last, queued, now, start, slot = case
    given_ = OFFICE.start_at(last_slot=at(last) if last else None, queued_at=at(queued), now=at(now))
    assert (given_.at, given_.slot and given_.slot.utc) == (at(start), at(slot))
    assert given_.cause is Cause.SLOT


def test_without_a_schedule_a_thread_starts_in_turn() -> None:
    """Without a schedule a thread starts at once, or when its own time has come."""
    plain = Timetable("news", BERLIN)
    now = at("2026-11-20T23:30")
    start = plain.start_at(last_slot=None, queued_at=now - HOUR, now=now.astimezone(BERLIN))
    assert (start.at, start.cause, start.slot) == (now, Cause.TURN, None)
    assert start.at.tzinfo is UTC
    assert plain.start_at(last_slot=None, queued_at=now + HOUR, now=now).at == now + HOUR


def test_without_a_schedule_a_thread_waits_for_the_end_of_quiet_hours() -> None:
    """Without a schedule a thread that comes in quiet hours starts at their end."""
    quiet = Timetable("news", BERLIN, quiet=NIGHT)
    now = at("2026-11-20T23:30")
    start = quiet.start_at(last_slot=None, queued_at=now, now=now)
    assert (start.at, start.cause, start.slot) == (at("2026-11-21T06:00"), Cause.QUIET, None)


def test_a_slot_missed_before_quiet_hours_starts_at_their_end() -> None:
    """A slot that was missed, on return within quiet hours, starts its thread at their end."""
    start = replace(OFFICE, quiet=NIGHT).start_at(
        last_slot=None, queued_at=at("2026-11-20T12:00"), now=at("2026-11-20T23:00")
    )
    assert (start.at, start.cause) == (at("2026-11-21T07:00"), Cause.QUIET)
    assert start.slot
    assert start.slot.utc == at("2026-11-20T18:00")


def test_a_slot_at_the_end_of_quiet_hours_takes_the_missed_one_with_it() -> None:
    """Where quiet hours end with a slot, a slot missed before them and that one start one thread."""
    timetable = Timetable("news", GREENWICH, parse_schedule("07:00,18:00"), NIGHT)
    queued, now = at("2026-11-20T12:00"), at("2026-11-20T23:00")
    first, second = forecast(timetable, [queued, queued], last_slot=None, now=now)
    assert (first.at, first.cause) == (at("2026-11-21T07:00"), Cause.SLOT)
    assert second.at == at("2026-11-21T18:00")
    jittered = replace(timetable, jitter=HOUR)
    planned = jittered.start_at(last_slot=None, queued_at=queued, now=now)
    assert planned.at > first.at
    assert planned == jittered.start_at(last_slot=None, queued_at=queued, now=first.at)


def test_a_slot_in_quiet_hours_lapses() -> None:
    """A slot within quiet hours starts nothing, neither then nor at their end."""
    timetable = Timetable("news", GREENWICH, parse_schedule("every 3h"), NIGHT)
    queued = [at("2026-11-20T19:00")] * 3
    starts = forecast(timetable, queued, last_slot=None, now=at("2026-11-20T19:00"))
    assert [start.at for start in starts] == [
        at("2026-11-20T21:00"),
        at("2026-11-21T09:00"),
        at("2026-11-21T12:00"),
    ]
    lapsed = timetable.start_at(last_slot=None, queued_at=at("2026-11-20T21:30"), now=at("2026-11-21T07:30"))
    assert lapsed.at == at("2026-11-21T09:00")


def test_a_forecast_is_what_asking_one_by_one_gives() -> None:
    """A forecast of a queue has a slot for each thread, each after the one before."""
    now = at("2026-11-20T14:00")
    queued = [at("2026-11-20T12:00"), at("2026-11-20T13:30"), at("2026-11-22T10:00"), at("2026-11-20T13:30")]
    starts = forecast(OFFICE, queued, last_slot=at("2026-11-20T09:00"), now=now)
    assert [start.at for start in starts] == [
        now,  # with 13:00, missed
        at("2026-11-20T18:00"),
        at("2026-11-22T13:00"),  # its own time
        at("2026-11-22T18:00"),
    ]
    plain = forecast(Timetable("news", GREENWICH), queued[:2], last_slot=None, now=now)
    assert [start.at for start in plain] == [now, now]


def test_jitter_is_drawn_from_channel_and_slot() -> None:
    """Two channels, or two slots, have different jitter; the same ones the same, and all of it is used."""
    jitter = 20 * MINUTE
    news, masto = (replace(OFFICE, name=name, jitter=jitter) for name in ("news", "masto"))
    slots = list(islice(parse_schedule("09:00,13:00,18:00").slots(at("2026-01-01"), GREENWICH), 300))
    drawn = [news.jittered(slot) - slot.utc for slot in slots]
    assert drawn != [masto.jittered(slot) - slot.utc for slot in slots]
    assert drawn == [replace(OFFICE, jitter=jitter).jittered(slot) - slot.utc for slot in slots]
    assert min(drawn) < 2 * MINUTE
    assert max(drawn) > 18 * MINUTE
    assert drawn[0] == timedelta(minutes=12, seconds=21)  # on any machine


def test_jitter_never_leads_into_quiet_hours() -> None:
    """A start that jitter would carry into quiet hours is at its slot."""
    timetable = Timetable("news", GREENWICH, parse_schedule("21:59"), NIGHT, timedelta(hours=2))
    slots = (
        list(islice(timetable.schedule.slots(at("2026-01-01"), GREENWICH), 100)) if timetable.schedule else []
    )
    starts = [timetable.jittered(slot) for slot in slots]
    assert not any(NIGHT.is_quiet(start, GREENWICH) for start in starts)
    assert sum(start == slot.utc for start, slot in zip(starts, slots, strict=True)) > 90


def test_a_missed_slot_waits_for_its_jitter_first() -> None:
    """Between a slot and its jittered start a thread waits for that start, as it did before the slot."""
    timetable = replace(OFFICE, jitter=30 * MINUTE)
    queued = at("2026-11-20T08:00")
    planned = timetable.start_at(last_slot=None, queued_at=queued, now=queued)
    assert planned.at > at("2026-11-20T09:00")
    assert timetable.start_at(last_slot=None, queued_at=queued, now=at("2026-11-20T09:00")) == planned


@pytest.mark.parametrize(
    ("schedule", "quiet"),
    [
        ("03:00", "22:00-07:00"),
        ("sat 09:00; sun 09:30", "sat-sun 00:00-10:00"),
        ("every 1d", "23:59-00:01"),
        ("every 2w", "mon 00:00-12:00"),
        ("0 3 29 2 *", "22:00-07:00"),
        ("0 9 29 2 */7", "sun 00:00-24:00"),
    ],
)
def test_quiet_hours_that_leave_no_slot_are_refused(schedule: str, quiet: str) -> None:
    """A timetable by which nothing could ever start is refused."""
    with pytest.raises(ValueError, match="leave at least one slot"):
        Timetable("news", BERLIN, parse_schedule(schedule), parse_quiet(quiet))


@pytest.mark.parametrize(
    ("schedule", "quiet", "first"),
    [
        ("0 9 29 2 *", "wed-mon 00:00-24:00", "2028-02-29T09:00"),  # a Tuesday, as in 2000
        ("0 9 29 2 *", "mon-sat 00:00-24:00", "2032-02-29T09:00"),  # a Sunday
        ("every 367m", "mon 00:00-24:00, tue-sun 00:00-23:58", "2027-06-26T23:58"),
    ],
)
def test_a_slot_that_is_rarely_left_is_found(schedule: str, quiet: str, first: str) -> None:
    """A slot that quiet hours leave is found, however rare it is."""
    timetable = Timetable("news", GREENWICH, parse_schedule(schedule), parse_quiet(quiet))
    now = at("2026-11-20T12:00")
    assert timetable.start_at(last_slot=None, queued_at=now, now=now).at == at(first)


def test_a_jitter_below_nothing_is_refused() -> None:
    """A negative jitter is refused."""
    with pytest.raises(ValueError, match="jitter"):
        Timetable("news", BERLIN, jitter=-MINUTE)
