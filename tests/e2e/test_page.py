"""The page of the real service in a real browser."""

import re
import shutil
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, ViewportSize, expect, sync_playwright

from tests.bot.media.drawn import jpeg
from tests.e2e.house import PATIENCE, House, thread_text
from threadcast.bot.channels.port import Readers, now
from threadcast.bot.data_folder import prepare
from threadcast.bot.readers.figures import ReaderFigures
from threadcast.config.settings import load

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make browser"),
]
AXE = Path("build/axe.min.js")
QUIETLY = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        yield found
        found.close()


VIEWS = (
    "/",
    "/compose",
    "/threads/1",
    "/threads/2",
    "/threads/2/settings",
    "/history",
    "/readers",
    "/readers/1",
    "/channels",
    "/sign-in",
)
complaints: list[str] = []
expect.set_options(timeout=PATIENCE * 1000)


@contextmanager
def shown(house: House, browser: Browser) -> Iterator[str]:
    """The page of a running service: its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house.env["THREADCAST_WEB__LISTEN"] = f"127.0.0.1:{port}"
    with house.running() as service:
        service.wait_for('"event": "page"')
        complaints.clear()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for one in browser.contexts:
                one.close()
        assert complaints == []
        assert service.stop() == 0


# Waits until something changed that is not shown.
STALE = "async () => { while (!stale) await new Promise(requestAnimationFrame) }"
# In each document: whether what a live part asked for when the stream opened is shown.
LIVE = "addEventListener('htmx:after:swap', () => { document.body.dataset.fresh = '' }, true)"


def wait_until_live(page: Page) -> None:
    page.locator("body[data-fresh]").wait_for()


def sign_in(
    house: House, browser: Browser, *, width: int = 1000, height: int = 900, touch: bool = False
) -> Page:
    """A browser of its own, signed in as a person does it; what it complains of is in `complaints`."""
    window: ViewportSize = {"width": width, "height": height}
    page = browser.new_context(viewport=window, has_touch=touch, is_mobile=touch).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.add_init_script(LIVE)

    def complain(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", complain)
    page.goto(house.json("page")["link"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    return page


def test_two_who_look(house: House, browser: Browser) -> None:
    """What one does in a browser the other sees without doing anything, and so does the one who did it."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    with shown(house, browser):
        assert len(house.command("page").stdout.splitlines()) == 2  # the link, and whom it lets in
        first, second = sign_in(house, browser), sign_in(house, browser)
        expect(first.get_by_text("Nothing waits.")).to_be_visible()
        house.command("add", house.write(thread_text(1, 3)), "-c", "news")
        for page in (first, second):
            expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
        second.get_by_role("link", name="#1").click()
        expect(second.get_by_text("held")).to_be_visible()
        first.get_by_role("button", name="Publish #1 on news").click()
        expect(second.get_by_text("published", exact=True)).to_be_visible()
        expect(first.get_by_text("published", exact=True)).to_be_visible()
    assert len(house.on_telegram()) == 3


def test_under_the_hand(house: House, browser: Browser) -> None:
    """What has the focus or stands open is left alone while things change, and shows them when let go."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    house.command("add", house.write(thread_text(1, 3)), "-c", "news")
    with shown(house, browser) as address:
        page = sign_in(house, browser)
        wait_until_live(page)
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Publish #1 on news").focus()
        house.command("add", house.write(thread_text(2, 3)), "-c", "news")
        page.evaluate(STALE)
        page.get_by_role("link", name="Queue").focus()
        expect(page.get_by_role("button", name="Publish #2 on news")).to_be_visible()

        page.goto(f"{address}/threads/1")
        wait_until_live(page)
        remove = page.locator("summary", has_text="Remove")
        remove.click()
        house.command("publish", "1")
        page.evaluate(STALE)
        remove.click()
        expect(page.get_by_text("published", exact=True)).to_be_visible()


def test_by_keyboard(house: House, browser: Browser) -> None:
    """Everything is reached with Tab and pressed with Enter, beginning with a way past the head."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    house.command("add", house.write(thread_text(1, 3)), "-c", "news")
    with shown(house, browser):
        page = sign_in(house, browser)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        button = page.get_by_role("button", name="Publish #1 on news")
        for _ in range(20):
            page.keyboard.press("Tab")
            if button.evaluate("one => one === document.activeElement"):
                break
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("published", exact=True)).to_be_visible()


def test_a_newcomer_on_a_telephone(house: House, browser: Browser) -> None:
    """Whoever opens a link on a telephone is led to the first thread, sees it, and publishes it by touch.

    What is typed before the page's scripts have come is shown once they are there.
    """
    with shown(house, browser):
        page = sign_in(house, browser, touch=True, width=360, height=720)
        expect(page.get_by_text("Nothing waits.")).to_be_visible()
        fits(page)
        late: list[Route] = []

        def hold(route: Route) -> None:
            late.append(route)

        page.route("**/htmx.min.js", hold, times=1)
        with page.expect_request("**/htmx.min.js"):
            page.get_by_role("link", name="Write a thread").tap()
        page.get_by_label("Text, numbered").fill("1/2 A kettle sings before it boils.\n\n2/2 Then it stops.")
        late.pop().continue_()
        for name in ("On news", "On masto"):
            expect(page.get_by_role("region", name=name).get_by_role("listitem")).to_have_count(2)
        page.get_by_role("checkbox", name="masto").tap()
        expect(page.get_by_role("region", name="On masto")).to_have_count(0)
        fits(page)
        page.get_by_role("button", name="Publish").tap()
        expect(page.get_by_text("published", exact=True)).to_be_visible()
        fits(page)
    assert len(house.on_telegram()) == 2


def fits(page: Page) -> None:
    """Nothing is wider than the window, and what is pressed is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth"), page.url
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, .button')].filter(one => one.offsetHeight && "
        "!one.matches('.line') && one.offsetHeight < 40).map(one => one.outerHTML)"
    )
    assert small == [], page.url


DROP = """data => {
    const given = new DataTransfer(), bytes = Uint8Array.from(atob(data), one => one.charCodeAt(0));
    given.items.add(new File([bytes], "kettle.jpg", {type: "image/jpeg"}));
    const dropped = new DragEvent("drop", {dataTransfer: given, bubbles: true});
    document.getElementById("text").dispatchEvent(dropped);
}"""


def test_a_dropped_picture(house: House, browser: Browser) -> None:
    """A picture that is dropped on the text is seen where readers will see it, described, and goes out."""
    with shown(house, browser) as address:
        page = sign_in(house, browser)
        page.goto(f"{address}/compose")
        page.get_by_label("Text, numbered").fill(
            "1/2 A kettle sings before it boils.\n\n2/2 Then it stops. /end"
        )
        page.get_by_role("checkbox", name="news").uncheck()
        page.evaluate(DROP, b64encode(jpeg()).decode())
        masto = page.get_by_role("region", name="On masto")
        expect(masto.locator("img")).to_have_count(1)
        assert masto.locator("img").evaluate("one => one.decode().then(() => one.naturalWidth)") == 60
        described = page.get_by_label("kettle.jpg, in part 2/2")
        described.fill("A kettle on a stove")
        described.press("Tab")
        expect(masto.get_by_alt_text("A kettle on a stove")).to_be_visible()
        expect(page.get_by_label("Text, numbered")).to_have_value(re.compile(r"!\[A kettle on a stove\]"))
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("published", exact=True)).to_be_visible()
    files = [status.files for status in house.mastodon.statuses(house.account)]
    assert [[one.description for one in each] for each in files] == [[], ["A kettle on a stove"]]


@pytest.mark.parametrize("width", [320, 360, 1000])
def test_a_narrow_window(house: House, browser: Browser, width: int) -> None:
    """On a telephone nothing of a view is wider than the window."""
    house.command("add", house.write(thread_text(1, 3)), "-c", "news", "--hold")
    with shown(house, browser) as address:
        page = sign_in(house, browser, width=width)
        for view in (
            "/",
            "/compose",
            "/threads/1",
            "/threads/1/settings",
            "/history",
            "/readers/1",
            "/channels",
            "/sign-in",
        ):
            page.goto(address + view)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core here: make browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_for_everybody(house: House, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """axe-core finds nothing wrong with any view: labels, landmarks, contrast, order."""
    house.command("add", house.write(thread_text(1, 3)), "-c", "news")
    house.command("add", house.write(thread_text(2, 3)), "-c", "news", "--hold")
    with shown(house, browser) as address:
        page = sign_in(house, browser)
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{address}/compose")
        page.get_by_label("Text, numbered").fill(
            "---\nwarning: Steam\n---\n1/2 A kettle.\n\n3/2 " + "Steam. " * 99
        )
        expect(page.get_by_role("region", name="On masto").get_by_role("listitem")).to_have_count(3)
        with closing(prepare(load(house.env, folder=house.folder))) as database:
            (one,) = database.reading.deliveries(thread_id=1)
            ReaderFigures(database).note(one, {1: Readers(9, 1, 0), 2: Readers(2, 0, 0)}, now=now())
        for view in VIEWS:
            page.goto(address + view)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found = page.evaluate(
                "axe.run().then(it => it.violations.map(one => [one.id, one.nodes.map(each => each.html)]))"
            )
            assert found == [], view
