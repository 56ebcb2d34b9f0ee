"""Open pages are told that something changed, and not all at once."""

import asyncio

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
