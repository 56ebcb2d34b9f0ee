"""The history, and what readers did, as the page shows it."""

from pathlib import Path

from tests.bot.web.opened import Opened, opened
from tests.bot.web.test_views import add
from threadcast.bot.channels.port import Readers
from threadcast.bot.readers.figures import ReaderFigures
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.length import telegram
from threadcast.queue.compose.rules import Rules
from threadcast.queue.model import Claim, Delivery
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import decide

TELLS = {
    "THREADCAST_CHANNELS__NEWS__KIND": "mastodon",
    "THREADCAST_CHANNELS__NEWS__URL": "https://social.example",
    "THREADCAST_CHANNELS__NEWS__TOKEN": "AAExampleExampleExampleExample",
}


def published(page: Opened) -> Delivery:
    """A thread that is out, without a network."""
    thread, moment = add(page), page.moment[0]
    work = page.database.work
    claim = work.claim("news", worker="here", now=moment, until=moment)
    assert isinstance(claim, Claim)
    posts = compose(page.database.reading.thread(thread).thread, Rules(500, telegram))
    work.plan(claim, posts, now=moment)
    for number in range(1, len(posts) + 1):
        work.intend(claim, number, key="key", reply_to=None, now=moment, until=moment)
        sent = decide(Sent(f"{number}", None), last=number == len(posts), tries=1, now=moment, chance=0)
        work.record(claim, number, sent, now=moment)
    (one,) = page.database.reading.deliveries(thread_id=thread)
    return one


def test_nothing_is_known(tmp_path: Path) -> None:
    """Before a look-up it is said when there will be one; of what no network tells, that it does not."""
    with opened(tmp_path, **TELLS) as page:
        one, browser = published(page), page.signed_in()
        assert "Not looked up yet" in browser.get(f"/readers/{one.thread_id}").text
        shown = browser.get("/readers").text
        assert "Nothing is known yet" in shown
        assert "Nothing is told of readers on slow" in shown
        assert "/readers/" not in browser.get("/history").text
    with opened(tmp_path / "local") as page:
        one, browser = published(page), page.signed_in()
        assert "does not tell what readers did" in browser.get(f"/readers/{one.thread_id}").text


def test_what_readers_did(tmp_path: Path) -> None:
    """A thread's figures stand in a table, the curve beside it, and both say where readers leave."""
    with opened(tmp_path, **TELLS) as page:
        one, browser = published(page), page.signed_in()
        told = {1: Readers(12, 3, 1), 2: Readers(2, 0, 0)}
        ReaderFigures(page.database).note(one, told, now=page.moment[0])
        shown = browser.get(f"/readers/{one.thread_id}").text
        assert "<td>12</td><td>3</td><td>1</td>" in shown
        assert "Most readers leave behind post 1." in shown
        assert shown.count("<polyline") == 1
        assert "14 favourites, 3 boosts, 1 reply" in browser.get("/history").text
        over_all = browser.get("/readers").text
        assert "<td>2</td><td>17 %</td>" in over_all
        assert "style=" not in over_all + shown
        assert browser.get("/readers/99").status_code == 404
        assert page.browser().get("/readers").status_code == 303
