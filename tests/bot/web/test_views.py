"""What the page shows of a real queue, and what its buttons do."""

from pathlib import Path

from tests.bot.web.opened import Opened, opened, press
from threadcast.bot.requests.input import understand
from threadcast.queue.model import Claim
from threadcast.queue.outcomes import Code, Refused
from threadcast.queue.states import Event, decide

HOSTILE = "1/2 A part <script>alert(1)</script> & more\n\n2/2 \"quoted\" 'too' {{ 7 * 7 }} /end\n"


def add(page: Opened, text: str = HOSTILE, *, hold: bool = False) -> int:
    requests = page.requests_of("shell:ada")
    (receipt,) = requests.threads.add([understand("t.txt", text.encode())], channels=["news"])
    thread = receipt.added.thread_id
    assert thread is not None
    if hold:
        requests.changes.apply(thread, Event.HOLD)
    return thread


def test_an_empty_queue_teaches(tmp_path: Path) -> None:
    """Where nothing is, the page says how to begin."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        assert "threadcast add FILE" in browser.get("/").text
        for path, said in (
            ("/history", "Nothing was published yet"),
            ("/calendar", "Nothing waits for its time"),
            ("/readers", "Nothing is known yet"),
        ):
            shown = browser.get(path).text
            assert said in shown
            assert '<a class="button" href="/compose">Write a thread</a>' in shown
        assert "threadcast setup" in browser.get("/channels").text


def test_filtered(tmp_path: Path) -> None:
    """An address shows a channel's entries in one state, its form says so, and what leads on keeps it."""
    with opened(tmp_path) as page:
        held, browser = add(page, hold=True), page.signed_in()
        queued = add(page, "1/2 One.\n\n2/2 Two. /end\n")
        for address, is_there in (
            ("/?channel=&state=", {held: True, queued: True}),
            ("/?channel=news&state=held", {held: True, queued: False}),
            ("/?channel=NEWS&state=queued", {held: False, queued: True}),
        ):
            shown = browser.get(address).text
            assert {thread: f'href="/threads/{thread}"' in shown for thread in (held, queued)} == is_there
        shown = browser.get("/?channel=news&state=held").text
        assert '<option value="held" selected>held</option>' in shown
        assert 'hx-get="/?channel=news&amp;state=held&amp;skip=0"' in shown
        for nothing in ("/?channel=slow", "/?state=unsure", "/?state=published"):
            assert '<a href="/">Show all of the queue</a>' in browser.get(nothing).text
        assert browser.get("/?state=lost").status_code == 404
        answer = press(browser, f"/threads/{queued}/move", channel="news", after="0", state="queued")
        assert answer.headers["location"] == "/?channel=&state=queued&skip=0"


def test_texts_are_shown_and_do_nothing(tmp_path: Path) -> None:
    """What an author wrote is shown as written, in every view, and is no part of the page."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        for path in ("/", f"/threads/{thread}"):
            shown = browser.get(path).text
            assert "<script>alert" not in shown
            assert "&lt;script&gt;alert(1)" in shown
        assert "{{ 7 * 7 }}" in browser.get(f"/threads/{thread}").text


def test_a_part_of_a_page(tmp_path: Path) -> None:
    """A page that asks for itself anew gets what is new of it, without what stands around."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        for path in ("/", f"/threads/{thread}", "/history", "/channels", "/calendar"):
            part = browser.get(path, headers={"HX-Request": "true"}).text
            assert "<html" not in part
            assert part.strip() in browser.get(path).text


def test_buttons(tmp_path: Path) -> None:
    """A thread offers what its state allows; pressed, it is done, and noted as done by who is signed in."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.signed_in()
        at = f"/threads/{thread}"
        assert "Needs you" in browser.get("/").text
        shown = browser.get(at).text
        assert f'formaction="{at}/release"' in shown
        assert "/hold" not in shown
        answer = press(browser, f"{at}/release")
        assert (answer.status_code, answer.headers["location"]) == (303, at)
        assert [one.state for one in page.database.reading.deliveries(thread_id=thread)] == ["queued"]
        assert f'formaction="{at}/hold"' in browser.get(at).text
        assert page.database.reading.events(thread_id=thread)[-1].actor == "shell:ada"


def test_what_takes_away_asks(tmp_path: Path) -> None:
    """Cancel is pressed twice: the first press alone changes nothing."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        press(browser, f"/threads/{thread}/cancel")
        assert [one.state for one in page.database.reading.deliveries(thread_id=thread)] == ["queued"]
        press(browser, f"/threads/{thread}/cancel", sure="true")
        assert [one.state for one in page.database.reading.deliveries(thread_id=thread)] == ["cancelled"]


def test_too_late(tmp_path: Path) -> None:
    """A button of an old page says why it cannot be done, and what would be possible."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in()
        press(browser, f"/threads/{thread}/cancel", sure="true")
        answer = press(browser, f"/threads/{thread}/release")
        assert answer.status_code == 409
        assert "release is not possible while cancelled" in answer.text
        assert press(browser, "/threads/99/hold").status_code == 404
        assert press(browser, f"/threads/{10**30}/hold").status_code == 404
        assert press(browser, f"/threads/{thread}/explode").status_code == 404


def test_an_editor_looks(tmp_path: Path) -> None:
    """An editor sees all and is offered nothing; pressed all the same, nothing is done."""
    with opened(tmp_path) as page:
        thread, browser = add(page), page.signed_in("telegram:22")
        shown = browser.get(f"/threads/{thread}").text
        assert "formaction" not in shown
        assert press(browser, f"/threads/{thread}/hold").status_code == 403
        assert press(browser, "/channels/news/pause").status_code == 403
        assert [one.state for one in page.database.reading.deliveries(thread_id=thread)] == ["queued"]


def test_channels_are_paused(tmp_path: Path) -> None:
    """A channel is paused and let go on by a button, which then offers the other."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        press(browser, "/channels/slow/pause")
        assert 'action="/channels/slow/resume"' in browser.get("/channels").text
        assert [row.paused for row in page.database.reading.channels() if row.name == "slow"] == [True]
        press(browser, "/channels/slow/resume")
        assert 'action="/channels/slow/pause"' in browser.get("/channels").text


def test_pages(tmp_path: Path) -> None:
    """A long queue is shown a page at a time, and one channel of it where that is asked for."""
    with opened(tmp_path) as page:
        for number in range(60):
            add(page, f"1/2 Thread number {number} of many.\n\n2/2 Its end. /end\n")
        browser = page.signed_in()
        assert browser.get("/").text.count('href="/threads/') == 50
        assert browser.get("/", params={"skip": 50}).text.count('href="/threads/') == 10
        assert browser.get("/", params={"channel": "slow"}).text.count('href="/threads/') == 0
        assert browser.get("/", params={"channel": "nobody"}).status_code == 404
        assert browser.get("/", params={"skip": "-5"}).status_code == 404


def test_the_one_button_that_helps(tmp_path: Path) -> None:
    """What waits for a person has its button in the list: it lets that thread go, on that channel."""
    with opened(tmp_path) as page:
        thread, browser = add(page, hold=True), page.signed_in()
        assert f'action="/threads/{thread}/release"' in browser.get("/").text
        press(browser, f"/threads/{thread}/release", channel="news")
        assert "Needs you" not in browser.get("/").text
        assert press(browser, f"/threads/{thread}/hold", channel="slow").status_code == 404


def test_what_stopped_on_one_channel(tmp_path: Path) -> None:
    """A stopped chain needs its person also where one channel is looked at: its own, and no other."""
    with opened(tmp_path) as page:
        thread, moment = add(page), page.moment[0]
        claim = page.database.work.claim("news", worker="here", now=moment, until=moment)
        assert isinstance(claim, Claim)
        refused = decide(Refused("no", Code.CONTENT), last=False, tries=1, now=moment, chance=0)
        page.database.work.record(claim, None, refused, now=moment)
        browser = page.signed_in()
        shown = [browser.get("/", params={"channel": name}).text for name in ("", "news", "slow")]
        assert [f'action="/threads/{thread}/retry"' in one for one in shown] == [True, True, False]
