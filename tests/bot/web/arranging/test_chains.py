"""A thread that is out, or may be: corrected, continued, compared, taken down, settled, in a browser."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from tests.bot.web.opened import Opened, opened, press
from tests.bot.web.test_views import add
from threadcast.bot.publishing.publisher import LEASE
from threadcast.bot.requests.preview import ASSUMED
from threadcast.bot.web.arranging.operations import Operation
from threadcast.queue.compose.compose import compose
from threadcast.queue.model import Claim
from threadcast.queue.outcomes import Code, Unknown
from threadcast.queue.states import decide
from threadcast.queue.text.parse import render

TEXT = "1/2 A kettle sings before it boils.\n\n2/2 Then it stops. /end\n"
AT = "/threads/1"


def texts(page: Opened) -> list[str]:
    (delivery,) = page.database.reading.deliveries(channel="news")
    return [post.post.text for post in page.database.reading.posts(delivery.id)]


def was(browser: TestClient, path: str) -> str:
    return browser.get(path).text.partition('name="was" value="')[2].partition('"')[0]


@contextmanager
def at_work(page: Opened) -> Iterator[TestClient]:
    """A browser whose service goes on between two requests, so that work behind an answer does."""
    with page.signed_in() as browser:
        yield browser


async def endless(_: Operation) -> None:
    await asyncio.Event().wait()


def came_of_it(browser: TestClient) -> str:
    while "At work on the networks" in (shown := browser.get(AT).text):
        pass
    return shown


def test_edited_while_it_waits(tmp_path: Path) -> None:
    """A thread that has not begun gets its new text at once; who read an older one is told so."""
    with opened(tmp_path) as page:
        add(page, TEXT)
        browser = page.signed_in()
        mark = was(browser, f"{AT}/edit")
        new = TEXT.replace("sings", "hums")
        assert press(browser, f"{AT}/edit", text=new, was=mark).status_code == 303
        assert "hums" in render(page.database.reading.thread(1).thread)
        late = press(browser, f"{AT}/edit", text=TEXT.replace("sings", "roars"), was=mark)
        assert late.status_code == 422
        assert "changed meanwhile" in late.text
        assert "roars" in late.text
        assert "hums" in render(page.database.reading.thread(1).thread)
        empty = press(browser, f"{AT}/edit", text="", was=was(browser, f"{AT}/edit"))
        assert "there is no thread in it" in empty.text


def test_corrected_where_it_is_out(tmp_path: Path) -> None:
    """What is public is changed only after a question that shows the difference, and then is edited there."""
    with opened(tmp_path) as page:
        add(page, TEXT)
        page.publish()
        browser = page.signed_in()
        given = {"text": TEXT.replace("sings", "hums"), "was": was(browser, f"{AT}/edit")}
        asked = press(browser, f"{AT}/edit", **given)
        assert asked.status_code == 200
        assert "− 1/2 A kettle sings" in asked.text
        assert "+ 1/2 A kettle hums" in asked.text
        assert "news (1)" in asked.text
        assert "sings" in texts(page)[0]
        assert press(browser, f"{AT}/edit", **given, sure="true").status_code == 303
        page.publish()
        assert "hums" in texts(page)[0]
        assert "its correction: sent" in browser.get(AT).text
        refused = press(browser, f"{AT}/edit", text="1/1 Less.", was=was(browser, f"{AT}/edit"))
        assert refused.status_code == 422
        assert "no post can be taken out of a chain" in refused.text


def test_continued(tmp_path: Path) -> None:
    """Parts are added behind the last one; what would be public at once is asked first."""
    with opened(tmp_path) as page:
        add(page, TEXT.replace("/2", "/"))
        page.publish()
        browser = page.signed_in()
        given = {"text": "3/ And sings again. /end", "was": was(browser, f"{AT}/continue")}
        assert "goes on there at once" in press(browser, f"{AT}/continue", **given).text
        assert len(page.database.reading.thread(1).thread.parts) == 2
        assert press(browser, f"{AT}/continue", **given, sure="true").status_code == 303
        page.publish()
        assert len(texts(page)) == 3


def test_taken_down(tmp_path: Path) -> None:
    """Taking down asks once, goes on behind its answer, and says what is gone; an editor cannot."""
    with opened(tmp_path) as page, at_work(page) as browser:
        add(page, TEXT)
        page.publish()
        assert press(page.signed_in("telegram:22"), f"{AT}/undo", sure="true").status_code == 403
        press(browser, f"{AT}/undo")
        assert [one.state for one in page.database.reading.deliveries()] == ["published"]
        press(browser, f"{AT}/undo", sure="true")
        assert "all of it is taken down" in came_of_it(browser)
        (delivery,) = page.database.reading.deliveries()
        assert delivery.state == "withdrawn"
        assert all(post.taken_down for post in page.database.reading.posts(delivery.id))
        assert f"{AT}/undo" not in browser.get(AT).text


def test_compared(tmp_path: Path) -> None:
    """A chain is compared with what is shown there; what was edited by another is edited back."""
    with opened(tmp_path) as page, at_work(page) as browser:
        add(page, TEXT)
        page.publish()
        assert browser.portal is not None
        browser.portal.call(page.site.operations.begin, 1, endless)
        assert "goes on with it already" in press(browser, f"{AT}/undo", sure="true").text
        assert [one.state for one in page.database.reading.deliveries()] == ["published"]
        browser.portal.call(page.site.operations.end)
        press(browser, f"{AT}/audit")
        assert "as it was sent: 2 posts" in came_of_it(browser)
        press(browser, f"{AT}/edit-back")
        assert "nothing was changed" in came_of_it(browser)


def test_settled(tmp_path: Path) -> None:
    """A post in doubt is settled by who looked: with its link, or as not out."""
    with opened(tmp_path) as page:
        add(page, TEXT)
        doubt(page)
        browser = page.signed_in()
        assert f'href="{AT}#settle-news"' in browser.get("/").text
        shown = browser.get(AT).text
        assert 'id="settle-news"' in shown
        assert press(browser, f"{AT}/settle", channel="news", out="true").status_code == 422
        assert (
            press(browser, f"{AT}/settle", channel="news", out="true", address="nowhere").status_code == 409
        )
        assert press(browser, f"{AT}/settle", channel="news", out="false").status_code == 303
        assert [one.state for one in page.database.reading.deliveries()] == ["queued"]


def doubt(page: Opened) -> None:
    """Let the first post come to an end that nobody but a person can look up."""
    now, work = page.moment[0], page.database.work
    claim = work.claim("news", worker="here", now=now, until=now + LEASE)
    assert isinstance(claim, Claim)
    work.plan(claim, compose(page.database.reading.thread(1).thread, ASSUMED), now=now)
    work.intend(claim, 1, key="key", reply_to=None, now=now, until=now + LEASE)
    change = decide(Unknown("no answer", Code.UNANSWERED), last=False, tries=1, now=now, chance=0)
    work.record(claim, 1, change, now=now)
