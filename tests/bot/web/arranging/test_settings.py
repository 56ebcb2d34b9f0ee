"""What is settled for one thread alone, changed in the browser; and a thread that is forgotten."""

import re
from pathlib import Path

from httpx2 import Response
from starlette.testclient import TestClient

from tests.bot.web.opened import Opened, opened, press
from tests.bot.web.test_views import add
from threadcast.queue.text.settings import ThreadSettings


def settings(page: Opened, thread: int) -> ThreadSettings:
    return page.database.reading.thread(thread).thread.settings


def save(browser: TestClient, thread: int, **values: str) -> Response:
    shown = browser.get(f"/threads/{thread}/settings").text
    mark = shown.partition('name="was" value="')[2].partition('"')[0]
    return press(browser, f"/threads/{thread}/settings", was=mark, **values)


def test_changed_and_taken_away(tmp_path: Path) -> None:
    """What is filled in is the thread's own from then on, what is emptied is its channels' again."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        assert f'href="/threads/{thread}/settings"' in browser.get(f"/threads/{thread}").text
        assert save(browser, thread, warning="tea", visibility="unlisted").status_code == 303
        assert settings(page, thread) == ThreadSettings(warning="tea", visibility="unlisted")
        assert "warning: tea; visibility: unlisted" in browser.get(f"/threads/{thread}").text
        save(browser, thread, warning="", visibility="unlisted", channels="slow")
        assert settings(page, thread) == ThreadSettings(visibility="unlisted")


def test_refused(tmp_path: Path) -> None:
    """What cannot be is said above the form, which keeps what was typed; nothing is changed."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        answer = save(browser, thread, language="!", warning="<tea>")
        assert answer.status_code == 422
        assert re.search(r"The setting language has to be a language code", answer.text)
        assert 'value="&lt;tea&gt;"' in answer.text
        assert (
            "changed meanwhile" in press(browser, f"/threads/{thread}/settings", was="", warning="tea").text
        )
        assert settings(page, thread) == ThreadSettings()
        editor = page.signed_in("telegram:22")
        assert editor.get(f"/threads/{thread}/settings").status_code == 403
        assert save(editor, thread, warning="tea").status_code == 403


def test_removed(tmp_path: Path) -> None:
    """A thread of which nothing was sent is forgotten by a second press; others are not offered that."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        press(browser, f"/threads/{thread}/remove")
        assert f"/threads/{thread}/remove" in browser.get(f"/threads/{thread}").text
        assert press(browser, f"/threads/{thread}/remove", sure="true").headers["location"] == "/"
        assert browser.get(f"/threads/{thread}").status_code == 404
        again = add(page)
        page.publish()
        shown = browser.get(f"/threads/{again}").text
        assert ("/remove" in shown, "/settings" in shown) == (False, False)
        assert press(browser, f"/threads/{again}/remove", sure="true").status_code == 409
