"""What is arranged in a real browser: the order of the queue, the calendar, an approval."""

import re
import shutil

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect

from tests.e2e.house import House, thread_text
from tests.e2e.test_page import AXE, browser, complaints, shown, sign_in, wait_until_live

__all__ = ["browser"]  # a fixture
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: make browser"),
]

# Notes from now on which thread the list begins with.
FIRST = """() => {
  globalThis.first = [];
  const look = () => first.push(document.querySelector("ol.entries a").textContent);
  new MutationObserver(look).observe(document.getElementById("list"), { childList: true });
  look();
}"""


def drag(source: Locator, target: Locator) -> None:
    """Drag once the page is live: what it replaces while it is pressed, the driver lets go without a word."""
    wait_until_live(source.page)
    source.drag_to(target, steps=10)  # a hand makes many moves


def test_order(house: House, browser: Browser) -> None:
    """A thread goes up by a drag, and down by a key; another browser sees both without doing anything.

    Where no answer comes, that is said.
    """
    house.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "mon 03:00"
    for number in (1, 2, 3):
        house.command("add", house.write(thread_text(number, 3)), "-c", "news")
    with shown(house, browser):
        first, second = sign_in(house, browser), sign_in(house, browser)
        rows = [page.get_by_role("region", name="Waits").get_by_role("listitem") for page in (first, second)]
        drag(rows[0].nth(2), rows[0].nth(0))
        for one in rows:
            expect(one.nth(0)).to_contain_text("#3")
        button = first.get_by_role("button", name="Move #3 down on news")
        button.focus()
        first.keyboard.press("Alt+ArrowDown")
        expect(first.get_by_role("status")).to_have_text("#3 was moved down on news.")
        for one in rows:
            expect(one.nth(1)).to_contain_text("#3")
        expect(button).to_be_focused()
        first.route("**/move", lambda route: route.abort(), times=1)
        first.keyboard.press("Alt+ArrowDown")
        expect(first.get_by_role("status")).to_have_text(
            "No answer came. Look whether it was done before you do it again."
        )
        expect(rows[0].nth(1)).to_contain_text("#3")
        assert len(complaints) == 2  # of what was cut off: the browser's own, and htmx's
        complaints.clear()


def test_an_answer_that_comes_late(house: House, browser: Browser) -> None:
    """What one moved stays where it was moved to, though the page had asked for its list before."""
    house.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "mon 03:00"
    for number in (1, 2):
        house.command("add", house.write(thread_text(number, 3)), "-c", "news")
    with shown(house, browser):
        page = sign_in(house, browser)
        wait_until_live(page)
        late: list[tuple[Route, APIResponse]] = []

        def hold(route: Route) -> None:
            late.append((route, route.fetch()))

        page.route("**/?channel=*", hold, times=1)
        with page.expect_request("**/?channel=*"):
            house.command("add", house.write(thread_text(3, 3)), "-c", "news")
        while not late:
            page.evaluate("new Promise(requestAnimationFrame)")
        page.get_by_role("button", name="Move #2 up on news").click()
        expect(page.get_by_role("status")).to_have_text("#2 was moved up on news.")
        page.evaluate(FIRST)
        (route, answer) = late.pop()
        with page.expect_response("**/?channel=*"):
            route.fulfill(response=answer)
        expect(page.get_by_role("region", name="Waits").get_by_role("listitem")).to_have_count(3)
        assert {one.split()[0] for one in page.evaluate("first")} == {"#2"}


def test_from_text_to_readers(house: House, browser: Browser) -> None:
    """What one types is seen as channels will show it, survives a reload, is dropped on an hour, goes out."""
    with shown(house, browser) as address:
        page = sign_in(house, browser)
        page.get_by_role("link", name="Write", exact=True).click()
        box = page.get_by_label("Text, numbered")
        box.fill("1/2 A kettle sings before it boils.\n\n2/2 " + "Steam is patient. " * 40)
        news, masto = page.get_by_role("region", name="On news"), page.get_by_role("region", name="On masto")
        expect(news.get_by_role("listitem")).to_have_count(2)
        expect(masto.get_by_role("listitem")).to_have_count(3)
        expect(masto.get_by_text("2a/2")).to_be_visible()
        page.get_by_role("checkbox", name="masto").uncheck()
        expect(masto).to_have_count(0)
        page.reload()
        expect(box).to_have_value(re.compile("A kettle sings"))
        page.get_by_role("checkbox", name="masto").uncheck()
        page.get_by_role("button", name="Add and hold").click()
        expect(page.get_by_text("held")).to_be_visible()
        page.get_by_role("link", name="Calendar").click()
        page.get_by_role("link", name="Later").click()
        page.wait_for_url("**/calendar?*on=*")
        held = page.get_by_role("region", name="Waits for a person").get_by_role("link")
        drag(held, page.locator("td[data-at]").nth(9))
        moved = page.locator("td a[data-when]")
        expect(moved).to_contain_text("#1")
        before = moved.get_attribute("data-when")
        assert before is not None
        moved.focus()
        page.keyboard.press("Shift+ArrowRight")
        expect(moved).not_to_have_attribute("data-when", before)
        expect(moved).to_be_focused()
        page.get_by_label("Start at").fill("in 3s")
        page.get_by_role("button", name="Set the time").click()
        page.goto(f"{address}/threads/1")
        expect(page.get_by_text("published", exact=True)).to_be_visible()
    assert len(house.on_telegram()) == 2
    assert house.on_mastodon() == []


def test_an_approval(house: House, browser: Browser) -> None:
    """Who gets a link reads the thread and approves it, in a browser without a session: it goes out."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    house.command("add", house.write(thread_text(1, 3)), "-c", "news")
    with shown(house, browser) as address:
        owner = sign_in(house, browser)
        owner.goto(f"{address}/threads/1")
        owner.get_by_role("button", name="Let somebody approve it").click()
        link = owner.get_by_label("The link").input_value()
        owner.goto(f"{address}/threads/1")
        reader = browser.new_context(viewport={"width": 360, "height": 720}).new_page()
        reader.goto(link)
        expect(reader.get_by_role("region", name="news").get_by_role("listitem")).to_have_count(3)
        for_everybody(reader, 360)
        reader.get_by_role("button", name="Approve").click()
        expect(reader.get_by_text("You approved it")).to_be_visible()
        expect(owner.get_by_text("published", exact=True)).to_be_visible()
        expect(owner.get_by_role("cell", name=re.compile("^somebody with a link of shell:"))).to_be_visible()


def for_everybody(page: Page, width: int = 0) -> None:
    """Nothing is wider than the window, and axe-core finds nothing wrong."""
    if width:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    if AXE.exists():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "axe.run().then(it => it.violations.map(one => [one.id, one.nodes.map(each => each.html)]))"
        )
        assert found == [], page.url


def test_the_new_views(house: House, browser: Browser) -> None:
    """Calendar, rewriting and what asks once more are for everybody, on a telephone, in light and dark."""
    house.env["THREADCAST_CHANNELS__NEWS__SCHEDULE"] = "daily 09:00,18:00"
    house.env["THREADCAST_CHANNELS__NEWS__QUIET"] = "22:00-07:00"
    for number, more in ((1, []), (2, ["--hold"])):
        house.command("add", house.write(thread_text(number, 3)), "-c", "news", *more)
    with shown(house, browser) as address:
        page = sign_in(house, browser, width=360)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for view in ("/", "/calendar", "/calendar?view=month", "/threads/2", "/threads/2/edit"):
                page.goto(address + view)
                for_everybody(page, 360)
