"""Makes docs/images/page-*.png, what an owner sees in a browser: python -m tests.pictures.page

A real service with two local channels publishes the samples of the demo, and one of them to a Mastodon server
of the tests, whose readers are invented. Needs Chromium.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.port import Readers, now
from threadcast.bot.data_folder import prepare
from threadcast.bot.readers.figures import ReaderFigures
from threadcast.config.settings import load
from threadcast.queue.states import DeliveryState

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "bot" / "shell" / "samples"
ADDRESS = "127.0.0.1:8481"
SETTINGS = {
    "PATH": "/usr/bin:/bin",
    "THREADCAST_WEB__LISTEN": ADDRESS,
    "THREADCAST_CHANNELS__EVENINGS__KIND": "local",
    "THREADCAST_CHANNELS__EVENINGS__SCHEDULE": "daily 12:00,19:00",
    "THREADCAST_CHANNELS__EVENINGS__QUIET": "22:00-07:00",
    "THREADCAST_CHANNELS__NEWS__KIND": "local",
    "THREADCAST_CHANNELS__NEWS__LIKE": "telegram",
    "THREADCAST_CHANNELS__NEWS__PACE": "30s",
}
COLOURS = 96
LOCAL = ["-c", "evenings", "-c", "news"]
TOLD, SOCIAL = "1-lighthouses.txt", ["-c", "social"]
TEXT = (
    """1/3 A lighthouse is a building that talks. It says one thing, all night: here I am.

2/3 """
    + (
        "Every light has its own rhythm, so that a sailor who counts the seconds between two flashes knows "
        "which coast it is. "
    )
    * 5
    + """

3/3 The rest is weather. /end"""
)


def main() -> None:
    with TemporaryDirectory() as folder, MastodonServer() as server:
        server.add_account()
        env = {
            **SETTINGS,
            "HOME": folder,
            "THREADCAST_CHANNELS__SOCIAL__KIND": "mastodon",
            "THREADCAST_CHANNELS__SOCIAL__URL": server.url,
            "THREADCAST_CHANNELS__SOCIAL__TOKEN": TOKEN,
        }
        for name, more in (("2-semaphore.txt", LOCAL), ("4-grace.txt", ["-c", "evenings"]), (TOLD, SOCIAL)):
            typed(env, "add", name, *more)
        typed(env, "add", "1-lighthouses.txt", "--hold", *LOCAL)
        service = subprocess.Popen(
            [sys.executable, "-m", "threadcast.bot", "run"],
            env=env,
            cwd=SAMPLES,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert service.stderr is not None
            next(line for line in service.stderr if '"published"' in line and '"social"' in line)
            invent(env)
            link = typed(env, "page").split()[0]
            with sync_playwright() as started:
                browser = started.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                show(browser, link)
        finally:
            service.terminate()
            service.wait()


def invent(env: Mapping[str, str]) -> None:
    """Readers of the thread that is on Mastodon: fewer with each post, most gone at one."""
    with closing(prepare(load(env, folder=SAMPLES))) as database:
        (one,) = database.reading.deliveries(states=frozenset({DeliveryState.PUBLISHED}), channel="social")
        told = {
            place: Readers(
                round(90 * 0.96**place / (1 + 0.9 * (place > one.posts // 3))), 140 // (place + 9), 2
            )
            for place in range(1, one.posts + 1)
        }
        ReaderFigures(database).note(one, told, now=now())


def typed(env: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "threadcast.bot", *words],
        env=env,
        cwd=SAMPLES,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def show(browser: Browser, link: str) -> None:
    page = browser.new_context(viewport={"width": 960, "height": 720}, device_scale_factor=1.25).new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Going out").wait_for()
    in_both(page, "page-queue")
    page.goto(f"http://{ADDRESS}/compose")
    page.get_by_label("Text, numbered").fill(TEXT)
    page.get_by_role("region", name="On evenings").get_by_role("listitem").nth(3).wait_for()
    in_both(page, "page-compose")
    page.goto(f"http://{ADDRESS}/readers/3")
    page.get_by_role("img").first.wait_for()
    in_both(page, "page-readers", whole=False)
    page.goto(f"http://{ADDRESS}/calendar")
    page.get_by_role("link", name="#3").first.wait_for()
    in_both(page, "page-calendar")
    page.goto(f"http://{ADDRESS}/channels")
    page.get_by_role("button", name="Check social").click()
    page.get_by_text("Checked").wait_for()
    in_both(page, "page-channels")
    page.goto(f"http://{ADDRESS}/threads/4")
    page.get_by_role("button", name="Let somebody approve it").click()
    link = page.get_by_label("The link").input_value()
    page.set_viewport_size({"width": 480, "height": 720})
    page.goto(link)
    page.get_by_role("button", name="Approve").wait_for()
    in_both(page, "page-share", whole=False)
    page.set_viewport_size({"width": 360, "height": 720})
    page.goto(f"http://{ADDRESS}/threads/1")
    in_both(page, "page-thread", whole=False)


def in_both(page: Page, name: str, *, whole: bool = True) -> None:
    """Save a whole page, or what a window shows of it, in light and in dark colours."""
    save(page.screenshot(full_page=whole), name)
    page.emulate_media(color_scheme="dark")
    save(page.screenshot(full_page=whole), f"{name}-dark")
    page.emulate_media(color_scheme="light")


def save(shot: bytes, name: str) -> None:
    path = ROOT / "docs" / "images" / f"{name}.png"
    path.write_bytes(shot)
    picture = (
        Image.open(path)
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    picture.save(path, optimize=True)


if __name__ == "__main__":
    main()
