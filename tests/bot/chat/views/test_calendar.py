"""The picker shows the days and hours that there are, in the zone of the channels, whatever the clocks do."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadcast.bot.chat.buttons import read_press
from threadcast.bot.chat.views import calendar
from threadcast.bot.chat.views.calendar import Asked
from threadcast.bot.chat.views.message import Button, Message
from threadcast.bot.publishing.agenda import Agenda, zone_of
from threadcast.bot.publishing.forecast import Rhythm
from threadcast.config.schedule.quiet import NEVER_QUIET, parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.config.schedule.zones import instant

BERLIN = ZoneInfo("Europe/Berlin")
GIVEN = ("now", "schedule", "quiet", "starts", "zone", "month", "day", "says")


def cases() -> list[tuple[str, dict[str, list[str]], list[list[str]]]]:
    """The cases of the table: what it shows, what is given, the rows."""
    found = []
    for block in (Path(__file__).parent / "months.txt").read_text("utf-8").split("\n\n"):
        given: defaultdict[str, list[str]] = defaultdict(list)
        rows: list[list[str]] = []
        about = ""
        for line in block.strip().split("\n"):
            name, _, value = line.partition(" ")
            if name == "#":
                about = value
            elif name in GIVEN:
                given[name].append(value)
            else:
                rows.append(line.split(" | "))
        found.append((about, dict(given), rows))
    return found


def moment(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return instant(datetime.fromisoformat(text), zone)


def shown(given: dict[str, list[str]]) -> Message:
    zone = ZoneInfo(given.get("zone", ["Europe/Berlin"])[0])
    schedule = parse_schedule(given["schedule"][0]) if "schedule" in given else None
    quiet = parse_quiet(given["quiet"][0]) if "quiet" in given else NEVER_QUIET
    rhythm = Rhythm(Timetable("news", zone, schedule, quiet), timedelta(0))
    starts = [moment(one) for line in given.get("starts", []) for one in line.split(", ")]
    agenda = Agenda(zone, {"news": rhythm}, tuple(starts))
    asked = Asked((7,), "abc123", moment(given["now"][0]), elsewhere="zone" in given)
    if "day" in given:
        return calendar.day(asked, agenda, date.fromisoformat(given["day"][0]))
    first = date.fromisoformat(f"{given['month'][0]}-01")
    return calendar.month(asked, agenda, first, [("Soon", "in 1h")])


@pytest.mark.parametrize(
    ("about", "given", "rows"), cases(), ids=lambda one: one if isinstance(one, str) else ""
)
def test_the_table(about: str, given: dict[str, list[str]], rows: list[list[str]]) -> None:
    """Each month and each day of the table looks as it stands there."""
    said = shown(given)
    assert [[button.label for button in row] for row in said.buttons] == rows, about
    typing = "By typing, by your clock: " if "zone" in given else "By typing: "
    assert said.text.split("\n")[1:] == [
        *given.get("says", []),
        *([] if "day" in given else [f"{typing}/at 7 fri 18:30"]),
    ]


def pressed(said: Message, label: str) -> Button:
    return next(one for row in said.buttons for one in row if one.label == label)


def test_what_a_button_means_is_what_it_shows() -> None:
    """An hour is picked as the instant at which the clocks of its zone show it."""
    given = {"now": ["2026-03-02 12:00"], "zone": ["America/New_York"], "day": ["2026-03-09"]}
    press = read_press(pressed(shown(given), "9:00").data)
    assert (press.verb, press.words) == ("pick", ("2026-03-09T13:00Z",))
    assert press.stamp == "abc123"


def test_every_button_fits_with_as_many_threads_as_one_can_carry() -> None:
    """However many threads a button may be about, the picker's buttons carry them."""
    agenda = Agenda(BERLIN, {}, ())
    asked = Asked((999_999_990, 999_999_992, 999_999_994), "abc123", moment("2026-03-02 12:00"))
    month = calendar.month(asked, agenda, date(2026, 3, 1), [("Soon", "tomorrow 9:00")])
    day = calendar.day(asked, agenda, date(2026, 3, 3))
    assert sum(map(len, (*month.buttons, *day.buttons))) > 50


def test_a_long_list_of_times_is_cut_and_says_how_it_ends() -> None:
    """Of many threads the first are listed, and when the last one starts."""
    asked = Asked((1, 2), "abc123", datetime(2026, 3, 2, tzinfo=UTC))
    times = [(f"#{one}", f"on day {one}", "<b>") for one in range(1, 31)]
    said = calendar.times(asked, times, Button("Yes", "each-yes|||abc|"), "One each:")
    lines = said.text.split("\n")
    assert lines[1] == "#1 <b>on day 1</b> &lt;b&gt;"
    assert lines[-1] == "… and 10 more, the last on on day 30"
    assert len(lines) == 22
    short = calendar.times(asked, times[:2], Button("Yes", "each-yes|||abc|"), "One each:")
    assert short.text.split("\n")[1:] == lines[1:3]


def test_channels_of_several_zones_are_shown_by_the_chats() -> None:
    """Where the channels of a thread have different zones, or it has none, the days are the chat's."""
    rhythms = {
        name: Rhythm(Timetable(name, ZoneInfo(zone)), timedelta(0))
        for name, zone in {"news": "Asia/Tokyo", "page": "Asia/Tokyo", "masto": "UTC"}.items()
    }
    assert zone_of(rhythms, BERLIN) is BERLIN
    assert zone_of({}, BERLIN) is BERLIN
    del rhythms["masto"]
    assert zone_of(rhythms, BERLIN).key == "Asia/Tokyo"
