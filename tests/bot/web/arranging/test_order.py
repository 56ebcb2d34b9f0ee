"""The order of what waits, and its times, arranged in a browser."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.bot.web.opened import Opened, opened, press
from tests.bot.web.test_views import add
from threadcast.bot.web.arranging.order import Place, places
from threadcast.queue.states import Event


def order(page: Opened) -> list[int]:
    return [one.thread_id for one in page.database.reading.deliveries(channel="news")]


def add_many(page: Opened, count: int) -> list[int]:
    return [add(page, f"1/2 Thread {number} of many.\n\n2/2 Its end. /end\n") for number in range(count)]


def test_places(tmp_path: Path) -> None:
    """Each goes behind a neighbour of its own channel; what has a time of its own has no place in turn."""
    with opened(tmp_path) as page:
        add_many(page, 4)
        changes = page.requests_of("shell:ada").changes
        changes.apply(2, Event.SCHEDULE, due=page.moment[0] + timedelta(hours=1))
        found = places(page.database.reading.deliveries())
        by_thread = {one.thread_id: found.get(one.id) for one in page.database.reading.deliveries()}
        assert by_thread == {1: Place(0, None, 3), 2: None, 3: Place(1, 0, 4), 4: Place(3, 1, None)}


@pytest.mark.parametrize(
    ("thread", "after", "comes"),
    [(3, 0, [3, 1, 2]), (3, 1, [1, 3, 2]), (1, 2, [2, 1, 3]), (1, 3, [2, 3, 1])],
)
def test_moved(tmp_path: Path, thread: int, after: int, comes: list[int]) -> None:
    """A thread goes where its button, key or drop says, noted as done by who did it."""
    with opened(tmp_path) as page:
        add_many(page, 3)
        browser = page.signed_in()
        answer = press(browser, f"/threads/{thread}/move", channel="news", after=str(after), shown="news")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?channel=news&state=&skip=0")
        assert order(page) == comes
        last = page.database.reading.events(thread_id=thread)[-1]
        assert (last.what, last.actor) == ("move", "shell:ada")


def test_not_moved(tmp_path: Path) -> None:
    """Behind itself, on another channel, or by an editor, nothing moves, and it is said why."""
    with opened(tmp_path) as page:
        add_many(page, 2)
        browser, editor = page.signed_in(), page.signed_in("telegram:22")
        assert "behind itself" in press(browser, "/threads/1/move", channel="news", after="1").text
        assert press(browser, "/threads/1/move", channel="slow", after="2").status_code == 404
        assert press(editor, "/threads/1/move", channel="news", after="2").status_code == 403
        assert "draggable" not in editor.get("/").text
        assert "draggable" in browser.get("/").text
        assert order(page) == [1, 2]


def test_a_time_of_its_own(tmp_path: Path) -> None:
    """A form gives a thread a time by the clock of the page; a time that cannot be is refused in words."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.signed_in()
        assert press(browser, f"/threads/{thread}/at", when="in 2h").status_code == 303
        (one,) = page.database.reading.deliveries()
        assert (one.state, one.own_time) == ("queued", True)
        assert one.due == page.moment[0] + timedelta(hours=2)
        browser.headers["Accept-Language"] = "de"
        assert press(browser, f"/threads/{thread}/at", when="in 3 Stunden").status_code == 303
        assert "24. dez 18:30 oder in 2h" in press(browser, f"/threads/{thread}/at", when="irgendwann").text
        browser.headers["Accept-Language"] = "en"
        answer = press(browser, f"/threads/{thread}/at", when="yesterday 9:00")
        assert answer.status_code == 422
        assert "write it as" in answer.text


def test_in_turn(tmp_path: Path) -> None:
    """On a channel with slots a thread with a time of its own is let go in turn again."""
    with opened(tmp_path, THREADCAST_CHANNELS__NEWS__SCHEDULE="daily 09:00") as page:
        thread, browser = add(page), page.signed_in()
        assert "/turn" not in browser.get(f"/threads/{thread}").text
        press(browser, f"/threads/{thread}/at", when="in 2h")
        assert f'formaction="/threads/{thread}/turn"' in browser.get(f"/threads/{thread}").text
        press(browser, f"/threads/{thread}/turn")
        assert [one.own_time for one in page.database.reading.deliveries()] == [False]


def test_the_first_of_a_long_queue(tmp_path: Path) -> None:
    """Asked for the first of a queue, the times are those of the whole one, with what comes between."""
    with opened(tmp_path, THREADCAST_CHANNELS__NEWS__SCHEDULE="daily 09:00") as page:
        add_many(page, 12)
        requests = page.requests_of("shell:ada")
        requests.changes.apply(11, Event.SCHEDULE, due=page.moment[0] + timedelta(days=2))
        whole = requests.queries.forecast()
        first = requests.queries.forecast(queued=4)
        assert [one.delivery.thread_id for one in first] == [1, 2, 3, 4, 11]
        assert first == (*whole[:4], whole[10])
