"""The page in the service's own loop: served while the service runs, and never in its way."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from threadcast.bot.channels.port import Channel
from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.web.app import make_app
from threadcast.bot.web.channels.accounts import EVERY, AccountLook, Accounts
from threadcast.bot.web.monitoring.measures import Measures
from threadcast.bot.web.site import Site
from threadcast.config.logs import get_logger
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import Delivery

log = get_logger("threadcast.page")

CLOSE_WITHIN = 1  # seconds that open requests have when the service stops


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The service hears signals itself."""
        yield


class Page:
    """`start` after the loop runs; where its port cannot be had, the service goes on without it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._measures = Measures()
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        listen = self._site.settings.listen
        assert listen is not None  # noqa: S101  # or there is no page
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        try:
            at = socket.create_server((listen.host, listen.port), family=family)
        except OSError as error:
            log.warning(
                "no page is shown",
                reason=f"{listen}: {os.strerror(error.errno) if error.errno else error}",
                next="name another place in THREADCAST_WEB__LISTEN, or off",
            )
            return
        given = uvicorn.Config(
            make_app(self._site, self._measures),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # see make_app
            timeout_graceful_shutdown=CLOSE_WITHIN,
        )
        self._server = _Server(given)
        self._running = asyncio.create_task(self._server.serve(sockets=[at]), name="page")
        log.info("page", address=self._site.settings.address, next="sign in: threadcast page")

    def look_after(self, timers: AsyncIOScheduler, accounts: Accounts) -> None:
        """Have the scheduler look, at once and then rarely, whether each account is let in."""
        look, every = AccountLook(self._site, accounts), EVERY.total_seconds()
        timers.add_job(look.run, "interval", seconds=every, next_run_time=datetime.now(UTC))

    def observing(self, observe: Observer) -> Observer:
        """Return an observer of deliveries that counts them, and tells open pages too."""

        def tell(delivery: Delivery) -> None:
            observe(delivery)
            self._measures.see(delivery)
            self._site.checks.see(delivery)
            self.wake()

        return tell

    def measured(self, channel: Channel, timetable: Timetable) -> Channel:
        """Return a channel whose calls are counted."""
        return self._measures.measured(channel, timetable)

    def lost(self, channel: str) -> None:
        """The lease of what went out there was lost."""
        self._measures.lost(channel)

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._site.live.touch()

    async def close(self) -> None:
        """Answer what was asked, for a moment, and end."""
        self._site.live.end()
        await self._site.operations.end()
        if self._server is None or self._running is None:
            return
        self._server.should_exit = True
        await asyncio.wait([self._running])
