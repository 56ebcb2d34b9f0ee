"""The calendar: the hours that clocks show, slots free and taken, quiet hours, a time by a drop or a form."""

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.bot.web.opened import Opened, opened, press
from tests.bot.web.test_views import add
from threadcast.bot.web.arranging.days import FreeSlot, Started, month, week
from threadcast.config.schedule.zones import hours
from threadcast.queue.states import Event

CASES = tomllib.loads(Path(__file__).with_name("days_cases.toml").read_text(encoding="utf-8"))["case"]
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 10, 23, 10, tzinfo=UTC)  # a Friday, two days before the clocks change in Berlin
GIVEN = {
    "THREADCAST_TIMEZONE": "Europe/Berlin",
    "THREADCAST_CHANNELS__NEWS__SCHEDULE": "daily 02:30,18:00",
    "THREADCAST_CHANNELS__NEWS__QUIET": "03:00-07:00",
}


def at_noon(page: Opened) -> None:
    page.moment[0] = NOON


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["say"])
def test_hours(case: dict[str, Any]) -> None:
    """A day has the hours that its clocks show: a skipped one is missing, a repeated one there twice."""
    found = hours(case["day"], ZoneInfo(case["zone"]))
    skips, twice = case.get("skips", []), case.get("twice", [])
    assert [hour for hour, again in found if not again] == [one for one in range(24) if one not in skips]
    assert [hour for hour, again in found if again] == twice
    assert sum(map(len, found.values())) == case["quarters"]
    named = {f"{hour}{' again' if again else ''}": each[0] for (hour, again), each in found.items()}
    for name, moment in case.get("at", {}).items():
        assert named[name] == moment


def test_a_week_with_an_hour_twice(tmp_path: Path) -> None:
    """The hour that comes twice has a row of its own, filled on its day alone; quiet hours are marked."""
    with opened(tmp_path, **GIVEN) as page:
        at_noon(page)
        agendas = page.requests_of("shell:ada").agendas(BERLIN)
        rows = week({"news": agendas["news"]}, (), date(2026, 10, 19), BERLIN)
        again = [row for row in rows if row.again]
        assert [(row.hour, [cell is not None for cell in row.cells]) for row in again] == [
            (2, [False] * 6 + [True])
        ]
        assert again[0].cells[6] is not None
        assert again[0].cells[6].at == datetime(2026, 10, 25, 1, tzinfo=UTC)
        quiet = [row.hour for row in rows if not row.again and row.cells[0] and row.cells[0].quiet]
        assert quiet == [3, 4, 5, 6]
        spring = week({"news": agendas["news"]}, (), date(2026, 3, 23), BERLIN)
        assert [row.hour for row in spring if row.cells[6] is None] == [2]


def test_slots(tmp_path: Path) -> None:
    """A slot is free until a thread waits for it; a time of its own takes only a slot that it names."""
    with opened(tmp_path, **GIVEN) as page:
        at_noon(page)
        first, second = add(page, "1/2 One.\n\n2/2 /end"), add(page, "1/2 Two.\n\n2/2 /end")
        requests = page.requests_of("shell:ada")
        requests.changes.apply(second, Event.SCHEDULE, due=NOON + timedelta(hours=20))
        starts = [
            Started(one.start, one.delivery, waits=True) for one in requests.queries.forecast() if one.start
        ]
        agenda = {"news": requests.agendas(BERLIN)["news"]}
        day = next(
            one for one in month(agenda, starts, date(2026, 10, 1), BERLIN) if one.date == date(2026, 10, 23)
        )
        assert [type(one) for one in day.holds] == [FreeSlot, Started]
        (_, taken) = day.holds
        assert isinstance(taken, Started)
        assert (taken.delivery.thread_id, taken.at) == (first, datetime(2026, 10, 23, 16, tzinfo=UTC))


def test_shown_by_the_viewers_clock(tmp_path: Path) -> None:
    """Times are by the zone that is asked for, else the browser's, else the service's; nonsense is none."""
    with opened(tmp_path, **GIVEN) as page:
        at_noon(page)
        browser = page.signed_in()
        assert "clocks of Europe/Berlin" in browser.get("/calendar").text
        browser.cookies["zone"] = "Asia/Kathmandu"
        shown = browser.get("/calendar").text
        assert "clocks of Asia/Kathmandu" in shown
        assert "21:45 free" in shown
        assert "clocks of UTC" in browser.get("/calendar", params={"zone": "UTC"}).text
        browser.cookies["zone"] = "../../etc/passwd"
        assert "clocks of Europe/Berlin" in browser.get("/calendar").text


def test_given_a_time(tmp_path: Path) -> None:
    """A slot that is pressed, or a time that is written, by the clock that was shown, is the thread's."""
    with opened(tmp_path, **GIVEN) as page:
        at_noon(page)
        thread, browser = add(page, hold=True), page.signed_in()
        slot = datetime(2026, 10, 24, 16, tzinfo=UTC)
        assert f'value="{slot.isoformat()}"' in browser.get("/calendar").text
        named = f"{thread} news"
        answer = press(
            browser, "/calendar/at", thread=named, slot=slot.isoformat(), view="week", on="2026-10-24"
        )
        assert answer.headers["location"] == "/calendar?view=week&on=2026-10-24&channel=&zone="
        (one,) = page.database.reading.deliveries()
        assert (one.state, one.due, one.own_time) == ("queued", slot, True)
        assert f'value="{slot.isoformat()}"' not in browser.get("/calendar").text
        press(browser, "/calendar/at", thread=named, when="tomorrow 9:00", zone="Asia/Kathmandu")
        (one,) = page.database.reading.deliveries()
        assert one.due == datetime(2026, 10, 24, 3, 15, tzinfo=UTC)
        shown = browser.get("/calendar", params={"view": "month", "zone": "Asia/Kathmandu"}).text
        assert "09:00</time> #1" in shown


def test_not_given(tmp_path: Path) -> None:
    """A time that has passed, an editor, or a thread that is over: nothing changes, and it is said why."""
    with opened(tmp_path, **GIVEN) as page:
        at_noon(page)
        add(page)
        browser, editor = page.signed_in(), page.signed_in("telegram:22")
        refused = press(browser, "/calendar/at", thread="1 news", slot="2026-10-20T16:00:00+00:00")
        assert (refused.status_code, "has passed" in refused.text) == (422, True)
        assert press(editor, "/calendar/at", thread="1 news", when="in 2h").status_code == 403
        assert press(browser, "/calendar/at", thread="1; drop", when="in 2h").status_code == 404
        shown = editor.get("/calendar").text
        assert "draggable" not in shown
        assert "arrange" not in shown
        for on in ("0001-01-01", "9999-12-31"):
            for view in ("week", "month"):
                assert browser.get("/calendar", params={"on": on, "view": view}).status_code == 200
        assert browser.get("/calendar", params={"view": "year"}).status_code == 404
        assert browser.get("/calendar", params={"channel": "nobody"}).status_code == 404
        assert not page.database.reading.deliveries()[0].own_time


def test_what_went_out_stays_seen(tmp_path: Path) -> None:
    """What has started stands where it did, and cannot be moved any more."""
    with opened(tmp_path) as page:
        add(page)
        page.publish()
        page.moment[0] += timedelta(minutes=1)
        shown = page.signed_in().get("/calendar").text
        assert '<span class="state published">published</span>' in shown
        assert "draggable" not in shown
