"""The chat as a part of the service: what it is built of, how it starts, how it ends."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
import telegram
from telegram.error import Forbidden, InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes, TypeHandler

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.access import Door
from threadcast.bot.chat.digest import Digests
from threadcast.bot.chat.drafts import KEPT, Drafts
from threadcast.bot.chat.handler import Talk
from threadcast.bot.chat.menu import set_menus
from threadcast.bot.chat.outbox import Speaker
from threadcast.bot.chat.reports import Reporter
from threadcast.bot.chat.requests.office import Office
from threadcast.bot.chat.updates import BAD_TOKEN_PAUSE, HandleOnce, Poller
from threadcast.bot.chat.views.message import Said
from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.requests.requests import Requests
from threadcast.config.logs import redact
from threadcast.config.settings import Settings
from threadcast.queue.model import Delivery, StoreError
from threadcast.queue.store.notes import Notes

log = structlog.get_logger("threadcast.chat")

FIRST_PAUSE: Final = 1.0  # seconds until a start that failed is tried again
LONGEST_PAUSE: Final = 60.0
FAREWELL: Final = 1.5  # seconds that what is still to be said may take when the service stops


class Chat:
    """Runs beside the scheduler on the service's own loop. Whatever breaks here, publishing goes on.

    `requests_of` gives the requests for an actor. `pace` gives a chat its pace, `timer` counts the
    seconds between two changes of a message.
    """

    def __init__(
        self,
        settings: Settings,
        channels: Sequence[Channel],
        notes: Notes,
        *,
        requests_of: Callable[[str], Requests],
        clock: Clock,
        pace: Callable[[int], Pace],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        assert settings.telegram.token is not None  # noqa: S101  # see Settings.chatting
        self._settings = settings
        self._clock = clock
        self._notes = notes
        self._bot = make_bot(
            settings.telegram.token.get_secret_value(), api_url=settings.telegram.api_url, polls=True
        )
        self._door = Door(settings.telegram)
        self._office = Office(requests_of, channels, Drafts(notes, clock), notes, clock, settings.timezone)
        self._speaker = Speaker(self._bot, clock=clock, pace=pace)
        self._reporter = Reporter(self._office, self._speaker, self._door, timer=timer)
        at = settings.telegram.digest
        self._digests = None if at is None else Digests(self._office, at, tell=self._reporter.tell_owners)
        self._talk = Talk(
            self._bot,
            self._office,
            self._door,
            self._speaker,
            spawn=self._spawn,
            live=self._reporter.watch,
            answering=self._reporter.answering,
            tell_owners=self._reporter.tell_owners,
            back=self._reporter.catch_up,
        )
        # No updater: it confirms updates before they are handled.
        self._application: Application[Any, Any, Any, Any, Any, Any] = (
            Application.builder().bot(self._bot).updater(None).job_queue(None).build()
        )
        self._application.add_handler(TypeHandler(telegram.Update, self._handle))
        self._application.add_error_handler(self._broke)
        self._handle_once = HandleOnce(
            notes,
            self._application.process_update,
            is_known=lambda person: self._door.role_of(person) is not None,
            clock=clock,
        )
        self._running: asyncio.Task[None] | None = None
        self._hearing: list[asyncio.Task[None]] = []
        self._following: set[asyncio.Task[None]] = set()

    # What the service tells it

    def beside(self, observe: Observer) -> Observer:
        """An observer of deliveries that tells the chat too."""

        def tell(delivery: Delivery) -> None:
            observe(delivery)
            self._reporter.touch(delivery)

        return tell

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._reporter.wake()
        if self._digests is not None:
            self._digests.wake()

    def start(self) -> None:
        self._running = asyncio.create_task(self._run(), name="chat")

    def hush(self) -> None:
        """The service stops: hear nothing more, while it finishes its work."""
        for task in self._hearing:
            task.cancel()
        if self._running is not None and not self._hearing:  # not even begun
            self._running.cancel()

    async def close(self) -> None:
        """Say what is still to be said, for a moment; let go of connections."""
        self.hush()
        if self._running is not None:
            self._reporter.finish()
            await asyncio.wait([self._running, *self._following], timeout=FAREWELL)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        if self._application.running:
            await self._application.stop()
        with suppress(TelegramError, RuntimeError):
            await self._application.shutdown()
        await close_bot(self._bot)

    # Its work

    async def _run(self) -> None:
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                group.create_task(_lasting("reports", self._reporter.run))
                self._hearing.append(group.create_task(_lasting("listening", self._listen)))
                if self._digests is not None:
                    self._hearing.append(group.create_task(_lasting("digests", self._digests.run)))
        except* Exception:
            # The chat's edge: whatever broke, publishing goes on.
            log.exception("the chat broke, and is off until the service is started again")

    async def _begin(self) -> None:
        """Say hello to Telegram, as often as it takes."""
        pause, said = FIRST_PAUSE, ""
        while True:
            try:
                await self._application.initialize()
            except (TelegramError, *UNREADABLE) as error:
                reason, is_barred = redact(str(error)), isinstance(error, (InvalidToken, Forbidden))
                if reason != said:  # once, however long it takes
                    said = reason
                    _warn(reason, is_barred=is_barred)
                await asyncio.sleep(BAD_TOKEN_PAUSE if is_barred else pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                break
        await self._application.start()
        self._spawn(self._set_menus())
        with suppress(StoreError):  # next time
            for kind in ("draft:", "again:", "missed:"):
                await asyncio.to_thread(self._notes.forget_old, kind, before=self._clock() - KEPT)
        log.info("chat", bot=f"@{self._bot.username}", owners=len(self._door.owners))

    async def _set_menus(self) -> None:
        """They are a help only: without them everything works by typing."""
        try:
            await set_menus(self._bot, self._door)
        except (TelegramError, *UNREADABLE) as error:
            log.warning("the menu of commands could not be set", reason=redact(str(error)))

    async def _listen(self) -> None:
        await Poller(self._bot, self._handle_once, on_conflict=self._rival).run()

    async def _handle(self, update: telegram.Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._talk.hear(update)

    async def _broke(self, _: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        # An update's edge: whatever broke, the next one is heard.
        log.error("an update was not dealt with", exc_info=context.error)

    async def _rival(self, there: bool) -> None:  # as the listener tells it
        said = (
            "⚠️ Another program takes this bot's updates: some of what you write does not arrive here. "
            "Stop it, or set <code>THREADCAST_TELEGRAM__LISTEN=false</code> for one of the two."
            if there
            else "✅ Nobody else takes this bot's updates any more."
        )
        await self._reporter.tell_owners(Said(said, quiet=not there))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._following.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an answer broke", exc_info=error)


async def _lasting(name: str, part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """One part of the chat: where it breaks, the others go on, and so does it after a while."""
    while True:
        try:
            await part()
        except Exception:
            # A part's edge: whatever broke, it is tried again.
            log.exception("a part of the chat broke, and begins anew", part=name)
            await asyncio.sleep(LONGEST_PAUSE)
        else:
            return


def _warn(reason: str, *, is_barred: bool) -> None:
    if is_barred:
        log.error(
            "the chat is off: Telegram does not accept the bot token",
            reason=reason,
            next="put the one that @BotFather gives into THREADCAST_TELEGRAM__TOKEN, and start again",
        )
    else:
        log.warning("the chat waits: Telegram cannot be reached", reason=reason)
