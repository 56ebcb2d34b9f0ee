"""What a person means by a time: a table of phrases, and what holds of any moment and any text."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from threadcast.bot.wording import time_refused
from threadcast.config.schedule.languages import in_english
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.words import FARTHEST, LONGEST, WhenError, parse_when
from threadcast.config.schedule.zones import instant, wall

TABLE = tomllib.loads(Path(__file__).with_name("when_cases.toml").read_text(encoding="utf-8"))["at"]
READS = [(each, text, says) for each in TABLE for text, says in each.get("reads", ())]
LANGUAGES = tomllib.loads(Path(__file__).with_name("languages_cases.toml").read_text(encoding="utf-8"))
SPOKEN = [(language, text, says) for language, table in LANGUAGES.items() for text, says in table["reads"]]
REFUSES = [(each, text, says) for each in TABLE for text, says in each.get("refuses", ())]
TIMES = [(language, text, says) for language, table in LANGUAGES.items() for text, says in table["times"]]
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC")])
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # a Monday
MOMENTS = st.integers(0, 15 * 366 * 24 * 60).map(lambda minutes: NOON + minutes * MINUTE)


def ids(case: object) -> str | None:
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(("language", "text", "says"), TIMES)
def test_times_for_several_threads(language: str, text: str, says: str) -> None:
    """Each of these is, in English, times that a schedule is read from, or a slot each."""
    found = in_english(text.lower(), language)
    assert found == says
    if found != "slots":
        parse_schedule(found)


@pytest.mark.parametrize(("at", "text", "says"), READS, ids=ids)
def test_a_phrase_is_the_moment_of_the_table(at: dict[str, object], text: str, says: str) -> None:
    """Each phrase of the table is exactly its moment, in UTC."""
    zone = ZoneInfo(str(at["zone"]))
    expected = datetime.fromisoformat(says)
    now = at["now"]
    assert isinstance(now, datetime)
    found = parse_when(text, now=now, zone=zone)
    assert found.tzinfo is UTC
    assert found == (expected if expected.tzinfo else expected.replace(tzinfo=zone))


@pytest.mark.parametrize(("language", "text", "says"), SPOKEN, ids=ids)
def test_a_phrase_of_a_language_is_the_moment_of_the_table(language: str, text: str, says: str) -> None:
    """Times are read in the language of who writes, and in English."""
    expected = datetime.fromisoformat(says).replace(tzinfo=BERLIN)
    assert parse_when(text, now=NOON, zone=BERLIN, language=language) == expected


def test_what_was_written_is_quoted() -> None:
    """What is refused is quoted as it was written, and not in English."""
    with pytest.raises(WhenError) as refused:
        parse_when("morgen", now=NOON, zone=BERLIN, language="de")
    assert time_refused(refused.value) == "“morgen” needs a time of the day, too: morgen 18:30"


@pytest.mark.parametrize(("at", "text", "says"), REFUSES, ids=ids)
def test_a_phrase_is_refused_as_in_the_table(at: dict[str, object], text: str, says: str) -> None:
    """What has passed, is too far away, may mean two moments, or is no time, is refused in these words."""
    now = at["now"]
    assert isinstance(now, datetime)
    with pytest.raises(WhenError) as refused:
        parse_when(text, now=now, zone=ZoneInfo(str(at["zone"])))
    assert says in time_refused(refused.value)


def phrases(moment: datetime, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """What a person may write who means a moment, and can mean no other."""
    local, today = wall(moment, zone), wall(now, zone)
    ordinal = {1: "st", 2: "nd", 3: "rd"}.get(local.day % 10 if local.day not in {11, 12, 13} else 0, "th")
    half = f"{local:%I:%M%p}".lstrip("0")
    for clock in (f"{local:%H:%M}", f"{local.hour}:{local:%M}", half, half.lower()):
        yield f"{local:%Y-%m-%d} {clock}"
        yield f"{local:%-d %b %Y} {clock}"
        yield f"{local:%b %-d %Y}, {clock}"
        yield f"{clock} {local:%-d %B %Y}"
        yield f"{local.day}{ordinal} of {local:%B %Y} at {clock}"
        yield f"{local:%A %-d %b %Y} {clock}"
        yield f"{local:%d.%m.%Y} {clock}"
        yield f"{local:%-d/%-m/%Y} {clock}"
        days = (local.date() - today.date()).days
        if timedelta(0) <= moment - now < timedelta(days=300):
            yield f"{local:%-d %b} {clock}"
            yield f"{local:%-d.%-m.} {clock}"
        if days in {0, 1, 2}:
            yield f"{('today', 'tomorrow', 'day after tomorrow')[days]} {clock}"
        if days < 7:
            yield f"{local:%A} {clock}"
            yield f"{local:%a} at {clock}"
        if days < 2 and moment - now < timedelta(hours=22):
            yield clock
        yield f"in {days} days {clock}"


@settings(deadline=None, max_examples=30)
@given(
    now=MOMENTS,
    minutes=st.integers(1, 365 * 24 * 60),
    zone=ZONES,
)
def test_what_means_a_moment_reads_back_to_it(now: datetime, minutes: int, zone: ZoneInfo) -> None:
    """Any moment of the next year is read from every phrase that can mean no other."""
    moment = now + minutes * MINUTE
    # What the clocks show twice means the first time; a gap shows nothing.
    assume(instant(wall(moment, zone), zone) == moment)
    assume(instant(wall(now, zone), zone) == now)
    assert parse_when(f"in {minutes}m", now=now, zone=zone) == moment
    assert parse_when(moment.isoformat(), now=now, zone=zone) == moment
    assert parse_when(f"{moment.astimezone(zone).isoformat()}", now=now, zone=zone) == moment
    for phrase in phrases(moment, now, zone):
        assert parse_when(phrase, now=now, zone=zone) == moment, phrase


WORDS = """
tomorrow today mon friday next this at in on the 24 dec feb 31 9:00 25:00 9 9pm noon midnight 2026 9999 2h
week 12/24 1.1. 99/99
00/00/0000 0000-00-00 9999-12-31T23:59 0001-01-01T00:00+23:59 +14:00 Z ² 🕘 İ -1 -- T / . : am
"""
PIECES = st.sampled_from([*WORDS.split(), "in 999 weeks", "\x00", "\ud800", "\u2028", "a" * 30, "0" * 30])


@settings(deadline=None)
@given(
    text=st.text(max_size=80) | st.lists(PIECES, max_size=6).map(" ".join) | st.lists(PIECES).map("".join),
    now=MOMENTS,
    zone=ZONES,
)
@example(text="9" * 10_000, now=NOON, zone=BERLIN)
@example(text="tomorrow " * 2_000, now=NOON, zone=BERLIN)
@example(text="9:00" + " " * 10_000 + "tomorrow", now=NOON, zone=BERLIN)
@example(text="\x00" * 10_000, now=NOON, zone=BERLIN)
@example(text="🕘" * 10_000, now=NOON, zone=BERLIN)
def test_any_text_is_a_moment_to_come_or_refused(text: str, now: datetime, zone: ZoneInfo) -> None:
    """Whatever is written, it is a moment of the next year, or refused in a few words."""
    try:
        found = parse_when(text, now=now, zone=zone)
    except WhenError as error:
        refusal = time_refused(error)
    else:
        refusal = ""
        assert now < found <= now + FARTHEST
    assert len(refusal) < 3 * LONGEST + 100
