"""Open pages are told that something changed, and not all at once."""

import asyncio
from pathlib import Path

import pytest

from tests.bot.web.opened import csrf, opened
from threadcast.bot.web import live as live_module
from threadcast.bot.web.live import APART, Live


async def told(live: Live, opened: asyncio.Semaphore) -> float:
    """When a page that is opened now is told of a change, by the loop's clock."""
    async for line in live.stream():
        if line.startswith("retry"):
            opened.release()
        if line.startswith("event: changed"):
            return asyncio.get_running_loop().time()
    raise AssertionError("it ended")


async def test_one_after_the_other() -> None:
    """However many pages are open, they are told of a change one after the other, the first at once."""
    live, opened = Live(), asyncio.Semaphore(0)
    pages = [asyncio.create_task(told(live, opened)) for _ in range(3)]
    for _ in pages:
        await opened.acquire()
    begun = asyncio.get_running_loop().time()
    live.touch()
    first, second, third = sorted(await asyncio.gather(*pages))
    assert first - begun < APART
    assert min(second - first, third - second) > APART / 2


async def test_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first change is told at once, and all that follow soon after it once, when their time has come."""
    monkeypatch.setattr(live_module, "TOGETHER", 0.2)
    live, loop = Live(), asyncio.get_running_loop()
    live.touch()
    live.made["a view"] = b"as it was made since"
    begun, opened = loop.time(), asyncio.Semaphore(0)
    page = asyncio.create_task(told(live, opened))
    await opened.acquire()
    for _ in range(5):
        live.touch()
    assert live.made
    assert await page - begun > 0.1
    assert not live.made


async def test_the_end() -> None:
    """When the service stops, no page waits for its turn."""
    live, opened = Live(), asyncio.Semaphore(0)
    pages = [asyncio.create_task(told(live, opened)) for _ in range(100)]
    for _ in pages:
        await opened.acquire()
    live.touch()
    live.end()
    async with asyncio.timeout(100 * APART / 2):
        await asyncio.gather(*pages)


def test_what_many_are_told_of_is_made_once(tmp_path: Path) -> None:
    """Pages that were told of one change are given one view, each with its own token and rights."""
    with opened(tmp_path) as page:
        told = {"HX-Request": "true", "Told": "true"}
        ada, bob, editor = (page.signed_in(actor) for actor in ("shell:ada", "telegram:11", "telegram:22"))
        mine, theirs = csrf(ada), csrf(bob)
        first = ada.get("/channels", headers=told).text
        page.requests_of("shell:ada").changes.pause(["news"], paused=True)  # and nobody was told of it yet
        second = bob.get("/channels", headers=told).text
        assert mine in first
        assert second == first.replace(mine, theirs)
        assert "<form" not in editor.get("/channels", headers=told).text


def test_who_was_told_of_nothing_sees_what_is_there(tmp_path: Path) -> None:
    """A page that asks by itself is given the view as it is now."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        told = {"HX-Request": "true", "Told": "true"}
        before = browser.get("/channels", headers=told).text
        page.requests_of("shell:ada").changes.pause(["news"], paused=True)
        assert browser.get("/channels", headers=told).text == before
        assert "/channels/news/resume" in browser.get("/channels", headers={"HX-Request": "true"}).text
        page.site.live.touch()
        assert "/channels/news/resume" in browser.get("/channels", headers=told).text
