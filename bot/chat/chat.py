"""The chat as a part of the service: what it is built of, how it starts, how it ends."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from telegram.error import TelegramError

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Channel, Clock, Standing, always
from threadcast.bot.channels.telegram.client import Bot, close_bot, make_bot
from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.access import Access
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.handler import Handler
from threadcast.bot.chat.menu import describe, renew_menu, set_buttons, set_menus
from threadcast.bot.chat.outbox import Outbox
from threadcast.bot.chat.reports import Reporter
from threadcast.bot.chat.telling.digest import DailyDigest, next_due
from threadcast.bot.chat.updates import Handle, HandleOnce, Poller, Webhook
from threadcast.bot.chat.views.troubles import alone, not_alone
from threadcast.bot.people.pairing import address, drawn, offer
from threadcast.bot.people.people import People, Role
from threadcast.bot.requests.drafting.drafts import KEPT, Drafts
from threadcast.bot.requests.requests import Requests
from threadcast.config.logs import get_logger, redact
from threadcast.config.settings import Settings
from threadcast.config.web import WEBHOOK_PATH
from threadcast.queue.errors import StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.store.notes import Notes

log = get_logger("threadcast.chat")

RESTART_AFTER: Final = 60.0  # seconds until a part of the chat that broke begins anew
CLOSE_WITHIN: Final = 1.5  # seconds that what is still to be said may take when the service stops
# Pages of the notes.
NOTED_FOR_A_WHILE: Final = ("draft:", "again:", "missed:", "asked:", "sent:", "preview:", "source:")


class Chat:
    """Runs beside the scheduler on the service's own loop. Whatever breaks here, publishing goes on.

    `requests_of` gives the requests of an actor; `take_up` takes up channels that were stored. `pace`
    gives a chat its pace, `timer` counts the seconds between two changes of a message. `scheduler` runs
    what is due at a time. `standing`: see `HandleOnce`.
    """

    def __init__(
        self,
        settings: Settings,
        channels: Sequence[Channel],
        notes: Notes,
        *,
        requests_of: Callable[[str], Requests],
        take_up: Callable[[], Awaitable[None]],
        clock: Clock,
        pace: Callable[[int], Pace],
        scheduler: AsyncIOScheduler,
        timer: Callable[[], float] = time.monotonic,
        standing: Standing = always,
        invites: bool = True,
    ) -> None:
        given = settings.telegram
        assert given.token is not None  # noqa: S101  # see Settings.chatting
        self._clock = clock
        self._standing = standing
        self._invites = invites
        self._zone = settings.timezone
        self._notes = notes
        self._scheduler = scheduler
        self._bot = make_bot(
            given.token.get_secret_value(), api_url=given.api_url, proxies=settings.proxies, polls=True
        )
        people = People(given, settings.language or "").read(notes)
        address = settings.web.address if settings.web.listen is not None else ""
        self._access = Access(given.group, people, address)
        drafts = Drafts(notes, clock)
        context = Context(
            requests_of,
            channels,
            drafts,
            notes,
            clock,
            settings.timezone,
            people,
            given.confirm,
            take_up,
            lambda person: self._spawn(renew_menu(self._bot, self._access, person)),
            address,
        )
        outbox = Outbox(self._bot, clock=clock, pace=pace)
        self._reporter = Reporter(context, outbox, self._access, spawn=self._spawn, timer=timer)
        self._digest = None
        if given.digest is not None:
            self._digest = DailyDigest(context, given.digest, tell=self._reporter.tell_all)
        handler = Handler(self._bot, context, self._access, outbox, self._reporter, spawn=self._spawn)
        self._handle_once = HandleOnce(
            notes,
            handler.handle,
            is_known=lambda person: self._access.role_of(person) is not None,
            clock=clock,
            standing=standing,
        )
        self.poller = _poller(
            settings, self._bot, self._handle_once, on_ready=self._begin, on_conflict=self._conflict
        )
        self._ready = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._following: set[asyncio.Task[None]] = set()

    def touch(self, delivery: Delivery) -> None:
        """Something about this delivery changed."""
        self._reporter.touch(delivery)

    def wake(self) -> None:
        """Something may have changed in the queue, or a clock was set."""
        self._reporter.refresh()
        if self._digest is not None and self._ready.is_set():
            self._spawn(self._digest.look())

    def start(self) -> None:
        self._running = asyncio.create_task(self._run(), name="chat")

    def stop_polling(self) -> None:
        """The service stops: hear nothing more, while it finishes its work.

        Once: asked again, it would interrupt the poll's connection being closed, and what it confirms.
        """
        task = self._polling if self._ready.is_set() else self._running
        if task is not None and not task.cancelling():
            task.cancel()

    async def close(self, *, saying: bool = True) -> None:
        """Say what is still to be said, for a moment, or leave that to others; let go of connections."""
        self.stop_polling()
        if self._running is not None and not saying:
            self._running.cancel()
        if self._running is not None:
            self._reporter.finish()
            await asyncio.wait([self._running, *self._following], timeout=CLOSE_WITHIN)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        with suppress(TelegramError, RuntimeError):
            await close_bot(self._bot)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._polling = group.create_task(_restarted("polling", self.poller.run))
                group.create_task(_restarted("reports", self._report))
        except* Exception:
            # The chat's edge: whatever broke, publishing goes on.
            log.exception("the chat broke, and is off until the service is started again")

    def _begin(self) -> None:
        """Telegram has said who the bot is."""
        log.info("chat", bot=f"@{self._bot.username}", owners=len(self._access.known.owners))
        self._ready.set()
        self._spawn(self._prepare())
        self._spawn(self._look())

    async def _report(self) -> None:
        await self._ready.wait()
        await self._reporter.run()

    async def _look(self) -> None:
        """Wake, and again when a day begins or the next digest is due: not by cron, which skips days.

        A coroutine, so that the scheduler runs it on the loop.
        """
        self.wake()
        now = self._clock()
        until = next_due(datetime.min.time(), now, self._zone) - now
        if self._digest is not None:
            until = min(until, self._digest.until_due())
        at = datetime.now(UTC) + until
        self._scheduler.add_job(self._look, "date", run_date=at, misfire_grace_time=None)

    async def _prepare(self) -> None:
        with suppress(StoreError):  # next time
            if self._invites and not self._access.known.owners:
                await self._invite()
            for kind in NOTED_FOR_A_WHILE:
                await asyncio.to_thread(self._notes.forget_old, kind, before=self._clock() - KEPT)
        try:  # a help only: without menus everything works by typing
            await set_menus(self._bot, self._access)
            with suppress(StoreError):
                await set_buttons(self._bot, self._access, self._notes, now=self._clock())
                language = self._access.known.language
                await describe(self._bot, self._notes, language=language, now=self._clock())
        except (TelegramError, *UNREADABLE) as error:
            log.warning("the menu of commands could not be set", reason=redact(str(error)))

    async def _invite(self) -> None:
        """Nobody steers yet: print a link for the first owner; what is kept of the log does not have it."""
        now = self._clock()
        code = await asyncio.to_thread(offer, self._notes, Role.OWNER, by="service", now=now)
        link = address(self._bot.username, code)
        log.warning(
            "nobody steers this service yet",
            link=link,
            next="open the link within ten minutes, and you do; another one: threadcast pair",
        )
        if sys.stderr.isatty():
            sys.stderr.write(drawn(link))

    def _conflict(self, there: bool) -> None:  # as the poller tells it
        if self._standing():  # else it is another machine that took over
            self._reporter.tell_all(not_alone if there else alone)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._following.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an answer broke", exc_info=error)


def _poller(settings: Settings, bot: Bot, handle: Handle, **told: Any) -> Poller:
    """Return how updates come in: Telegram brings them where that is wanted, and can be."""
    given, address = settings.telegram, settings.web.address
    assert given.token is not None  # noqa: S101  # see Settings.chatting
    if not given.webhook:
        return Poller(bot, handle, **told)
    # A Bot API server of one's own may be on this machine.
    if settings.web.listen is None or not (address.startswith("https:") or given.api_url):
        log.warning(
            "Telegram is polled, for it cannot bring updates: there is no page that it reaches",
            next="name its https address in THREADCAST_WEB__URL, or unset THREADCAST_TELEGRAM__WEBHOOK",
        )
        return Poller(bot, handle, **told)
    token = given.token.get_secret_value()
    return Webhook(f"{address}{WEBHOOK_PATH}", token, bot, handle, **told)


async def _restarted(name: str, part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one part of the chat: where it breaks, the others go on, and so does it after a while."""
    while True:
        try:
            await part()
        except Exception:
            # A part's edge: whatever broke, it is tried again.
            log.exception("a part of the chat broke, and begins anew", part=name)
            await asyncio.sleep(RESTART_AFTER)
        else:
            return
