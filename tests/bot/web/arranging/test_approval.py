"""A link that shows one thread, to be approved or sent back by somebody without an account."""

import re
from datetime import timedelta
from pathlib import Path

from httpx2 import Response
from starlette.testclient import TestClient

from tests.bot.web.opened import HERE, Opened, opened, press
from tests.bot.web.test_views import HOSTILE, add
from threadcast.bot.people.people import Role, admit, revoke
from threadcast.bot.people.shares import PAGE
from threadcast.bot.web.sessions import TRIES
from threadcast.queue.states import Event


def shared(page: Opened, thread: int, actor: str = "shell:ada") -> str:
    return f"/share/{page.requests_of(actor).share(thread)}"


def answered(browser: TestClient, link: str, approve: str, note: str = "") -> Response:
    mark = browser.get(link).text.partition('name="was" value="')[2].partition('"')[0]
    return browser.post(link, data={"approve": approve, "note": note, "was": mark})


def states(page: Opened) -> list[str]:
    return [one.state for one in page.database.reading.deliveries()]


def test_shows_one_thread_and_nothing_else(tmp_path: Path) -> None:
    """Who has the link sees the posts as they will look; no view opens to them."""
    with opened(tmp_path) as page:
        link, browser = shared(page, add(page, hold=True)), page.browser()
        shown = browser.get(link).text
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<nav" not in shown
        assert re.findall(r"<button[^>]*>([^<]*)", shown) == ["Approve", "Send back"]
        assert browser.cookies == {}
        assert [browser.get(path).status_code for path in ("/", "/threads/1")] == [303, 303]


def test_approved(tmp_path: Path) -> None:
    """Approved, it is let go, noted as done by who has that link, and the link opens nothing more."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.browser()
        link, other = shared(page, thread), shared(page, thread)
        assert "You approved it" in answered(browser, link, "true").text
        assert states(page) == ["queued"]
        last = page.database.reading.events(thread_id=thread)[-1]
        assert (last.what, last.actor) == ("release", "share:shell:ada")
        for one in (link, other):
            assert browser.get(one).status_code == 404
            assert browser.post(one, data={"approve": "true"}).status_code == 404
        assert page.database.notes.read(PAGE) == {}


def test_sent_back(tmp_path: Path) -> None:
    """Sent back, it stays held, and its reason says what should be different; it can be shared anew."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.browser()
        link = shared(page, thread)
        assert "You sent it back" in answered(browser, link, "false", " Less\nsteam, please. ").text
        (one,) = page.database.reading.deliveries()
        assert (one.state, one.code, one.reason) == ("held", "sent back", "sent back: Less steam, please.")
        assert page.database.reading.events(thread_id=thread)[-1].what == "send-back"
        assert browser.get(link).status_code == 404
        assert "sent back: Less steam" in page.signed_in().get("/").text
        assert browser.get(shared(page, thread)).status_code == 200


def test_decided_elsewhere(tmp_path: Path) -> None:
    """A thread that was let go by somebody else is decided, also where it is held again."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.browser()
        link = shared(page, thread)
        changes = page.requests_of("shell:bob").changes
        changes.apply(thread, Event.RELEASE)
        assert browser.get(link).status_code == 404
        changes.apply(thread, Event.HOLD)
        assert browser.get(link).status_code == 404
        again = shared(page, thread)
        page.requests_of("shell:bob").threads.remove(thread)
        assert browser.get(again).status_code == 404


def test_changed_meanwhile(tmp_path: Path) -> None:
    """What is approved is what was read: a text that was changed since is shown anew first."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.browser()
        link = shared(page, thread)
        mark = browser.get(link).text.partition('name="was" value="')[2].partition('"')[0]
        page.requests_of("shell:ada").threads.edit(thread, HOSTILE.replace("quoted", "edited"))
        answer = browser.post(link, data={"approve": "true", "was": mark})
        assert answer.status_code == 409
        assert "changed while you read it" in answer.text
        assert "edited" in answer.text
        assert states(page) == ["held"]
        assert "You approved it" in answered(browser, link, "true").text


def test_a_link_ends(tmp_path: Path) -> None:
    """After its days it opens nothing, nor where whose link it is steers no more; it is stored as a hash."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.browser()
        admit(page.database.notes, 33, Role.OWNER, by="shell:ada", now=page.moment[0])
        link, theirs = shared(page, thread), shared(page, thread, "telegram:33")
        assert not any(link.split("/")[-1] in text for text in page.database.notes.read(PAGE).values())
        assert browser.get(theirs).status_code == 200
        revoke(page.database.notes, 33, by="shell:ada", now=page.moment[0])
        assert browser.get(theirs).status_code == 404
        page.moment[0] += timedelta(days=7)
        assert browser.get(link).status_code == 404


def test_made_links_are_tried_a_few_times(tmp_path: Path) -> None:
    """Who tries links has few tries a minute; a good one opens all the same."""
    with opened(tmp_path) as page:
        link, browser = shared(page, add(page, hold=True)), page.browser()
        answers = [browser.get(f"/share/wrong{one}").status_code for one in range(TRIES + 1)]
        assert answers == [404] * TRIES + [429]
        assert browser.get(link).status_code == 200
        assert browser.get(f"/share/{'x' * 500}").status_code == 404
        signed = page.signed_in()
        assert signed.post("/threads/1/share", data={"csrf": "0"}).status_code == 403


def test_the_button(tmp_path: Path) -> None:
    """A held thread has a button that makes such a link for its owner; one that is not held has none."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.signed_in()
        assert press(page.signed_in("telegram:22"), f"/threads/{thread}/share").status_code == 403
        shown = press(browser, f"/threads/{thread}/share").text
        found = re.search(rf'value="{HERE}(/share/[\w-]+)"', shown)
        assert found is not None
        assert page.browser().get(found[1]).status_code == 200
        press(browser, f"/threads/{thread}/release")
        assert f"/threads/{thread}/share" not in browser.get(f"/threads/{thread}").text
        refused = press(browser, f"/threads/{thread}/share")
        assert refused.status_code == 409
        assert "not possible while queued" in refused.text
