"""Webhooks: tells a receiver what was published, stopped, is unsure, or waits for a yes.

One after the other, in a task of its own: however slow the receiver is, no post waits for it. Where machines
share a queue, one of them tells.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from threadcast.bot.channels.port import Clock
from threadcast.bot.hooks.feed import Feed, Hook
from threadcast.bot.requests.requests import Requests
from threadcast.config.logs import get_logger
from threadcast.config.settings import Settings
from threadcast.queue.errors import StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState, retry_delay
from threadcast.queue.store.notes import Notes

log = get_logger("threadcast.hooks")

_T = TypeVar("_T")

LEADS: Final = "hooks"  # what one machine alone does, as machines call it
GIVEN_UP: Final = timedelta(days=3)  # what did not arrive for so long is left out
STORE_PAUSE: Final = 30.0  # seconds until another try where the queue cannot be used


class Hooks:
    """Does nothing where no receiver is configured. Every method is called on the service's loop."""

    def __init__(
        self,
        settings: Settings,
        notes: Notes,
        *,
        requests_of: Callable[[str], Requests],
        clock: Clock,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._feed = Feed(notes, requests_of, clock)
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Tell from now on what was not told yet."""
        if self._settings.hooks.url is not None:
            self._running = asyncio.create_task(self._run(self._settings.hooks.url), name="hooks")

    async def abandon(self) -> None:
        """Tell nothing more: another machine does, or this service ends. What is left is told later."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def touch(self, delivery: Delivery) -> None:
        """A delivery went on: where it came to an end or stopped, there is something to tell."""
        if delivery.state is not DeliveryState.PUBLISHING:
            self.wake()

    def wake(self) -> None:
        """Something may have changed in the queue. Cheap."""
        self._woken.set()

    async def _run(self, url: str) -> None:
        from threadcast.bot.hooks.receiver import Receiver  # noqa: PLC0415  # only where it is in use

        secret = self._settings.hooks.secret
        assert secret is not None  # noqa: S101  # see HookSettings
        receiver = Receiver(url, secret.get_secret_value(), self._settings.proxies)
        log.info("hooks", receiver=receiver.host)
        try:
            await self._stored(self._feed.begin)
            while True:
                self._woken.clear()
                while (hook := await self._stored(self._feed.next)) is not None:
                    await self._tell(hook, receiver.tell)
                    await self._stored(partial(self._feed.told, hook))
                await self._woken.wait()
        except Exception:
            # The edge of what is told: whatever broke, publishing goes on.
            log.exception("hooks broke, and are off until the service is started again")
        finally:
            await receiver.close()

    async def _tell(self, hook: Hook, tell: Callable[[Hook, datetime], Awaitable[str]]) -> None:
        """Tell it until it arrives, later and later; or leave it out."""
        tries = 0
        about = log.bind(hook=hook.event, thread=hook.delivery.thread, id=hook.id)
        while why := await tell(hook, self._clock()):
            tries += 1
            if self._clock() - hook.at > GIVEN_UP:
                about.error("a hook was given up", reason=why)
                return
            pause = retry_delay(tries, self._chance()).total_seconds()
            about.warning("a hook did not arrive", reason=why, again_in=f"{pause:.0f} s")
            await self._sleep(pause)

    async def _stored(self, step: Callable[[], _T]) -> _T:
        """Take a step in the queue; where it cannot be used, again later."""
        while True:
            try:
                return await asyncio.to_thread(step)
            except StoreError as error:
                log.warning("hooks wait: the queue cannot be used", reason=str(error))
                await self._sleep(STORE_PAUSE)
