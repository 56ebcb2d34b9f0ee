"""The service: composed here, run, and stopped so that what is in hand is finished."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from threadcast.bot import wake
from threadcast.bot.channels.build import (
    accounts,
    bot_of,
    bot_pace,
    build_channels,
    build_paces,
    chat_pace,
    open_channels,
    seen,
)
from threadcast.bot.channels.port import Channel, Clock, always, now
from threadcast.bot.channels.stored import in_use
from threadcast.bot.channels.telegram.pace import BotPace
from threadcast.bot.data_folder import has_queue, look_through, only_one, open_queue
from threadcast.bot.hooks import hooks
from threadcast.bot.intake.folder import IntakeFolder
from threadcast.bot.lifecycle.chat_in_use import ChatInUse
from threadcast.bot.lifecycle.supervisor import told_until
from threadcast.bot.lifecycle.upkeep import keep_up
from threadcast.bot.media.store import open_store
from threadcast.bot.publishing.forecast import rhythms
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Observer, Publisher
from threadcast.bot.publishing.scheduler import Scheduler
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.web.page import build_page
from threadcast.bot.web.site import build_site
from threadcast.config.logs import get_logger
from threadcast.config.schedule.timetable import Timetable
from threadcast.config.settings import Settings
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.store.database import Database
from threadcast.queue.store.engine import is_sqlite

if TYPE_CHECKING:
    from threadcast.bot.chat.chat import Chat
    from threadcast.bot.fleet.fleet import Fleet

log = get_logger("threadcast.service")

# Between two looks that nothing asked for: the clock was set, or another machine added something.
LOOK_EVERY = timedelta(minutes=5)
CLAIMS = 2  # at a time, of as many channels as there are


class Service:
    """A running Threadcast: scheduler and publishers, the pipe that wakes them, intake folder and chat.

    `timer` counts the seconds between two changes of a message in the chat. Raise StoreError where the queue
    cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        channels: Sequence[Channel],
        *,
        observe: Observer = lambda _: None,
        clock: Clock = now,
        timer: Callable[[], float] = time.monotonic,
        look_every: timedelta = LOOK_EVERY,
        fleet: "Fleet | None" = None,
    ) -> None:
        self.stop = Stop()
        self._fleet = fleet
        self._ended: StoreError | None = None
        self._given = settings  # as the environment has it; channels that were stored come to it
        self._settings = settings
        self._database = database
        self._channels = list(channels)
        self._configured = self._channels.copy() if settings.has_channels else []  # as the chat has it
        self._opened: list[Channel] = []  # by this service, which closes them
        self._taking_up = asyncio.Lock()
        self._clock = clock
        self._timer = timer
        self._look_every = look_every.total_seconds()
        # The default drops a job that is a second late.
        self._timers = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        self._intake = self._build_intake()
        self._worker = f"{socket.gethostname()}:{os.getpid()}" if fleet is None else fleet.machine.name
        database.changes.see_channels(seen(settings, channels), now=clock())
        self._bots: dict[str, BotPace] = {}
        self._chat = ChatInUse(self._build_chat)
        requests_of = partial(self._requests, self._channels)
        self._hooks = hooks.Hooks(settings, database.notes, requests_of=requests_of, clock=clock)
        site = build_site(
            settings,
            self._channels,
            database.notes,
            requests_of=requests_of,
            broken=lambda: self._scheduler.broken | self._chat.broken,
            clock=clock,
            hear=self._chat.hear,
        )
        self._page = build_page(site)
        self._observe = self._page.observing(observe)
        self._claiming = asyncio.Semaphore(CLAIMS)
        publishers = self._publishers(settings, channels)
        self._scheduler = Scheduler(
            publishers,
            clock=clock,
            stop=self.stop,
            timers=self._timers,
            dispatcher=None if fleet is None else fleet.jobs,
            lost=self._page.lost,
        )

    def _publishers(
        self, settings: Settings, channels: Sequence[Channel]
    ) -> list[tuple[Publisher, Timetable]]:
        """A publisher for each of these channels, all that are in the settings. Raises StoreError."""
        paces = build_paces(settings, channels, self._database, self._bots)
        tables = rhythms(settings)
        pausing = {channel.name for channel in settings.channels if channel.quiet_chain == "pause"}
        return [
            (
                Publisher(
                    self._database,
                    self._page.measured(channel, tables[channel.name].timetable),
                    worker=self._worker,
                    clock=self._clock,
                    stop=self.stop,
                    gap=tables[channel.name].gap,
                    brake=tables[channel.name].rest_until if channel.name in pausing else lambda _: None,
                    pace=paces[channel.name],
                    observe=self._tell,
                    claiming=self._claiming,
                    holding=(lambda: always) if self._fleet is None else self._fleet.machine.holding,
                ),
                tables[channel.name].timetable,
            )
            for channel in channels
        ]

    async def take_up(self) -> None:
        """Take up channels that were stored meanwhile, and let go of those that were forgotten.

        Raise StoreError.
        """
        async with self._taking_up:
            settings = await asyncio.to_thread(in_use, self._given, self._database.notes)
            before = {one.name: one for one in self._settings.channels}
            new = tuple(one for one in settings.channels if one != before.pop(one.name, None))
            gone = before.keys() | {one.name for one in new}  # what is left, or is another one now
            if not gone:
                return
            part = settings.model_copy(update={"channels": new})
            channels = await asyncio.to_thread(build_channels, part, self._database, self._clock)
            self._opened += channels
            publishers = await asyncio.to_thread(self._publishers, part, channels)
            signed = seen(part, channels)
            await asyncio.to_thread(self._database.changes.see_channels, signed, now=self._clock())
            old = [one for one in self._channels if one.name in gone]
            self._settings = settings
            self._channels[:] = [*(one for one in self._channels if one not in old), *channels]
            self._configured[:] = self._channels if settings.has_channels else []
            if self._intake is not None:
                self._intake.know([one.name for one in self._channels])
            for one in old:
                await self._scheduler.remove(one.name)
                log.info("channel let go", name=one.name)
            for one, (publisher, timetable) in zip(channels, publishers, strict=True):
                log.info("channel", name=one.name, kind=one.kind, target=one.target)
                self._scheduler.add(publisher, timetable)

    async def run(self) -> None:
        """Publish until a stop is asked for; then finish the post in hand and let go of the rest.

        Raise StoreError where the queue cannot be used at the start, GoneError where it was taken away.
        """
        await asyncio.to_thread(self._take_over)
        await self.take_up()
        # Until the end: a command is to know that the queue is in use, and begins none in its place.
        async with contextlib.AsyncExitStack() as until_the_end:
            until_the_end.enter_context(contextlib.closing(self._open_pipe()))
            if self._fleet is not None:
                await until_the_end.enter_async_context(self._joined(self._fleet))
            intake = asyncio.create_task(self._take_files(), name="intake")
            looking = asyncio.create_task(self._look_regularly(), name="regular look")
            try:
                log.info("running", data=str(self._settings.data), next="add a thread: threadcast add FILE")
                needs = self._settings, self._database, self._channels, self._clock
                keep_up(self._timers, *needs, machine=self._worker)
                self._page.look_after(self._timers, lambda: accounts(self._settings))
                self._timers.start()
                if self._fleet is None:
                    await self._chat.begin()
                    await self._hooks.begin()
                self._page.start()
                await told_until(self.stop.asked)
            finally:
                self.stop.ask()
                looking.cancel()
                self._timers.shutdown(wait=False)
                await self._end(intake)
        if self._ended is not None:
            raise self._ended

    def _joined(self, fleet: "Fleet") -> contextlib.AbstractAsyncContextManager[None]:
        """Be one of the machines that share the queue, and hear the bot where no other one does."""
        from threadcast.bot.fleet.machine import Part, Told  # noqa: PLC0415  # only on a server

        def ended(error: StoreError) -> None:
            self._ended = error
            self.stop.ask()

        async def changed() -> None:
            self._scheduler.look_again()
            for one in (self._chat, self._hooks, self._page):
                one.wake()
            with contextlib.suppress(StoreError):
                await self.take_up()

        token = self._settings.telegram.token
        bot = bot_of(token.get_secret_value()) if token and self._settings.chatting else None
        parts: dict[str, Part] = {} if bot is None else {bot: self._chat}
        if self._settings.hooks.url is not None:
            parts[hooks.LEADS] = self._hooks
        told = Told(changed, self._scheduler.wake, ended, parts)
        return fleet.joined(told, self._scheduler.run)

    def _tell(self, delivery: Delivery) -> None:
        self._observe(delivery)
        self._chat.touch(delivery)
        self._hooks.touch(delivery)

    async def _end(self, intake: "asyncio.Task[None]") -> None:
        try:
            self._chat.stop_polling()
            await intake
            await self._scheduler.drain()
        finally:
            await self._hooks.abandon()
            await self._chat.close()
            await self._page.close()
            await asyncio.gather(*(channel.close() for channel in self._opened))

    async def _take_files(self) -> None:
        if self._intake is not None:
            await self._intake.run(self.stop.asked)

    def _build_intake(self) -> IntakeFolder | None:
        if self._settings.intake is None:
            return None
        return IntakeFolder(
            self._settings.intake,
            channels=[channel.name for channel in self._channels],
            requests=partial(self._requests, self._channels),
            zone=self._settings.timezone,
            clock=self._clock,
        )

    def _requests(self, channels: Sequence[Channel], actor: str) -> Requests:
        hint = None if self._fleet is None else self._fleet.hint
        return build_requests(
            self._settings, self._database, channels, actor=actor, clock=self._clock, wake=hint
        )

    def _build_chat(self) -> "Chat | None":
        """The chat, where somebody may steer the service there; it shares the slots of the bot."""
        token = self._settings.telegram.token
        if token is None or not self._settings.chatting:
            return None
        from threadcast.bot.chat.chat import Chat  # noqa: PLC0415  # only where it is in use

        shared = self._bots.setdefault(token.get_secret_value(), bot_pace(self._settings))
        return Chat(
            self._settings,
            self._configured,
            self._database.notes,
            requests_of=partial(self._requests, self._configured),
            take_up=self.take_up,
            clock=self._clock,
            pace=partial(chat_pace, self._settings, shared, self._database),
            scheduler=self._timers,
            timer=self._timer,
            standing=always if self._fleet is None else self._fleet.machine.holding(),
        )

    async def _look_regularly(self) -> None:
        """Look at the queue, now and every few minutes: whether it is still there, and what is due.

        By the loop's own time: where somebody sets the clock back by a year, timers are a year late. Machines
        that share a queue look for what waits at their start, and by a job of theirs.
        """
        first = True
        while True:
            with contextlib.suppress(StoreError):  # the lanes say so
                await self.take_up()
            if self._fleet is None or first:
                self._wake()
            first = False
            await asyncio.sleep(self._look_every)

    def _wake(self) -> None:
        for one in (self._scheduler, self._chat, self._hooks, self._page):
            one.wake()

    def _open_pipe(self) -> wake.WakePipe:
        try:
            return wake.WakePipe(self._settings.data, self._wake)
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(Fault.FOLDER_UNUSABLE, path=self._settings.data, cause=reason) from error

    def _take_over(self) -> None:
        if is_sqlite(self._settings.database_url.get_secret_value()):
            # The lock says that no other service is here: what still holds a lease died with it.
            freed = self._database.work.free_leases(now=self._clock())
            if freed:
                log.info("took over what the last service left", deliveries=freed)
        for channel in self._channels:
            log.info("channel", name=channel.name, kind=channel.kind, target=channel.target)


def join_fleet(settings: Settings, database: Database) -> "Fleet | None":
    """Return what the service shares with others; None on an SQLite file. Raises StoreError."""
    if database.is_file:
        return None
    from threadcast.bot.fleet.fleet import Fleet  # noqa: PLC0415  # only on a server

    return Fleet(settings.database_url.get_secret_value(), database)


async def serve(settings: Settings) -> None:
    """`threadcast run`: a service until SIGTERM or SIGINT. Raises AlreadyRunningError, StoreError."""
    if not has_queue(settings):
        log.info("a new queue begins", data=str(settings.data))
    with only_one(settings):
        async with open_queue(settings) as database:
            await asyncio.to_thread(look_through, settings)
            hint_at_files(settings)
            fleet = await asyncio.to_thread(join_fleet, settings, database)
            clock = now if fleet is None else fleet.clock
            async with open_channels(settings, database, clock) as channels:
                service = Service(settings, database, channels, clock=clock, fleet=fleet)
                loop = asyncio.get_running_loop()
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, _stop, service.stop, number)
                await service.run()
                log.info("stopped")


def hint_at_files(settings: Settings) -> None:
    """On a database that several machines may share, say where the files are that they would not."""
    store = open_store(settings)
    if store.is_here and not is_sqlite(settings.database_url.get_secret_value()):
        log.info(
            "files of threads are kept on this machine",
            folder=store.place,
            next="before another machine works on this queue, set THREADCAST_MEDIA_URL=s3://BUCKET/PREFIX",
        )


def _stop(stop: Stop, number: signal.Signals) -> None:
    log.info("stopping", signal=number.name, note="the post in hand is finished first")
    stop.ask()
