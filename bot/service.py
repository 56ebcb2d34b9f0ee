"""Builds everything (the one place that constructs), runs it, stops it gracefully."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from threadcast.bot import wake
from threadcast.bot.building import build_channel
from threadcast.bot.channels.discreet import Discreet
from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.desk import Desk
from threadcast.bot.forecast import Rhythm
from threadcast.bot.paces import bot_pace, chat_pace, paces_of
from threadcast.bot.pacing import BotPace
from threadcast.bot.publisher import Observer, Publisher
from threadcast.bot.stop import Stop
from threadcast.config.schedule import describe
from threadcast.config.settings import Settings
from threadcast.config.timetable import Timetable
from threadcast.queue import measure
from threadcast.queue.sql import migrate
from threadcast.queue.sql.copies import require_sound
from threadcast.queue.sql.custody import held, lock_file
from threadcast.queue.sql.durability import doubts
from threadcast.queue.sql.engine import is_missing, is_sqlite, parse_url, place
from threadcast.queue.sql.store import SqlStore, open_store
from threadcast.queue.store import ChannelSeen, GoneError, Store, StoreError

if TYPE_CHECKING:
    from threadcast.bot.chat.room import Chat
    from threadcast.bot.intake import IntakeWatch
    from threadcast.bot.watch import Watcher

log = structlog.get_logger("threadcast.service")

# Of the ten seconds a supervisor gives a stopping service, what the post in hand may take.
GRACE = 8.0

# Seconds between two looks whether the queue is still in its place, where nothing else is asked of it.
MIND = 300.0


class AlreadyRunningError(Exception):
    """Another service works on the same data folder, or on the same SQLite file."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def prepare(settings: Settings) -> SqlStore:
    """Open the queue. An SQLite file is made and brought up to date; a server's tables are not.

    Raises StoreError, GoneError where the file is missing under a service that runs.
    """
    url = settings.database_url.get_secret_value()
    if is_sqlite(url):
        upgrade(settings)
    return open_store(url)


def upgrade(settings: Settings) -> str:
    """`threadcast migrate`: bring the tables up to date; gives their version. Raises StoreError."""
    url = settings.database_url.get_secret_value()
    if is_sqlite(url):
        make_folder(settings.data)
        # The knock makes the service see it at once.
        if is_missing(url) and wake.knock(settings.data):
            raise GoneError(
                f"{place(parse_url(url))} was removed while a service is using it; "
                "the service ends now and says where it saved what it held: put that back first"
            )
    return migrate.upgrade(url)


def make_folder(path: Path) -> None:
    """Make the data folder, for its owner only. Raises StoreError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data folder {path} cannot be made: {error.strerror}; set THREADCAST_DATA to another folder"
        ) from None


def build_channels(settings: Settings, store: Store | None = None, clock: Clock = now) -> tuple[Channel, ...]:
    """The configured channels, none of which has made a call yet.

    With `store` they know of what it remembers where a chat has moved to, and note there where one moves.
    """
    rows = {} if store is None else {row.name: row for row in store.channels()}
    secrets = settings.secrets()
    return tuple(
        Discreet(
            build_channel(settings, channel, clock=clock, row=rows.get(channel.name), store=store), secrets
        )
        for channel in settings.channels
    )


@asynccontextmanager
async def open_channels(
    settings: Settings, store: Store | None = None, clock: Clock = now
) -> AsyncIterator[tuple[Channel, ...]]:
    """The configured channels, closed at the end whatever happened. `store`: see `build_channels`."""
    channels = build_channels(settings, store, clock)
    try:
        yield channels
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


def rhythms(settings: Settings) -> dict[str, Rhythm]:
    """Each channel's times, by its name."""
    return {
        channel.name: Rhythm(channel.timetable(settings.timezone), channel.pace)
        for channel in settings.channels
    }


def seen(settings: Settings, channels: Sequence[Channel]) -> list[ChannelSeen]:
    """The configured channels, for the queue to note."""
    tables = rhythms(settings)
    return [
        ChannelSeen(channel.name, channel.kind, channel.target, in_words(tables[channel.name].timetable))
        for channel in channels
    ]


def in_words(timetable: Timetable) -> str:
    """A schedule with its zone, empty where there is none: slots mean other moments in another zone."""
    return "" if timetable.schedule is None else f"{describe(timetable.schedule)} ({timetable.zone.key})"


def build_desk(
    settings: Settings, store: Store, channels: Sequence[Channel], *, actor: str, clock: Clock = now
) -> Desk:
    """The desk for one person, on this queue."""
    return Desk(
        store,
        channels,
        holds=[channel.name for channel in settings.channels if channel.hold],
        rhythms=rhythms(settings),
        clock=clock,
        actor=actor,
        wake=lambda: wake.knock(settings.data),
        prospects=lambda moment: {
            name: pace.prospect(moment) for name, pace in paces_of(settings, channels, store).items()
        },
    )


def build_intake(
    settings: Settings, store: Store, channels: Sequence[Channel], clock: Clock = now
) -> "IntakeWatch | None":
    """What takes files from the intake folder; None where none is configured."""
    if settings.intake is None:
        return None
    from threadcast.bot.intake import Inbox, IntakeWatch  # noqa: PLC0415  # only where it is in use

    inbox = Inbox(
        settings.intake,
        channels=[channel.name for channel in channels],
        desk=lambda actor: build_desk(settings, store, channels, actor=actor, clock=clock),
        zone=settings.timezone,
        clock=clock,
    )
    return IntakeWatch(inbox)


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the locks of the data folder and of an SQLite database, by whatever path that is reached.

    Raises AlreadyRunningError where another service has one of them, StoreError. The locks go with the
    process, however it ends; the files stay, empty of meaning.
    """
    make_folder(settings.data)
    database = lock_file(settings.database_url.get_secret_value())
    with contextlib.ExitStack() as locks:
        if not locks.enter_context(held(settings.data / "service.lock")):
            raise AlreadyRunningError(
                f"a Threadcast service already works in {settings.data}; stop it first, "
                "or set THREADCAST_DATA to another folder"
            )
        if database is not None and not locks.enter_context(held(database.lock)):
            raise AlreadyRunningError(
                f"a Threadcast service already works on the database {database.file}; stop it first, "
                "or set THREADCAST_DATABASE_URL to another file"
            )
        yield


class Service:
    """A running Threadcast: the scheduler, its publishers, the pipe that wakes them, the intake folder.

    Raises StoreError where the queue cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        channels: Sequence[Channel],
        *,
        observe: Observer = lambda _: None,
        clock: Clock = now,
    ) -> None:
        from threadcast.bot.scheduler import Scheduler  # noqa: PLC0415  # no other command needs a timer

        self.stop = Stop()
        self._settings = settings
        self._store = store
        self._channels = channels
        self._clock = clock
        self._intake = build_intake(settings, store, channels, clock)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        store.see_channels(seen(settings, channels), now=clock())
        bots: dict[str, BotPace] = {}
        paces = paces_of(settings, channels, store, bots)
        self._chat = self._build_chat(bots)
        if self._chat is not None:
            observe = self._chat.beside(observe)
        tables = rhythms(settings)
        pausing = {channel.name for channel in settings.channels if channel.quiet_chain == "pause"}
        publishers = [
            (
                Publisher(
                    store,
                    channel,
                    worker=worker,
                    clock=clock,
                    stop=self.stop,
                    gap=tables[channel.name].gap,
                    brake=tables[channel.name].rest_until if channel.name in pausing else lambda _: None,
                    pace=paces[channel.name],
                    observe=observe,
                ),
                tables[channel.name].timetable,
            )
            for channel in channels
        ]
        self._scheduler = Scheduler(store, publishers, clock=clock, stop=self.stop)

    async def run(self) -> None:
        """Publish until `stop.asked`; then finish the post in hand and let go of the rest.

        Raises StoreError where the queue cannot be used at the start, GoneError where it was taken away.
        """
        await asyncio.to_thread(self._greet)
        bell = self._hang_bell()
        mind = asyncio.create_task(self._mind(), name="mind")
        try:
            log.info("running", data=str(self._settings.data), next="add a thread: threadcast add FILE")
            self._scheduler.start()
            if self._intake is not None:
                self._intake.start()
            if self._chat is not None:
                self._chat.start()
            await self.stop.asked.wait()
        finally:
            bell.close()
            self.stop.asked.set()
            hurry = asyncio.get_running_loop().call_later(GRACE, self.stop.now.set)
            try:
                if self._chat is not None:
                    self._chat.hush()
                if self._intake is not None:
                    await self._intake.close()
                await self._scheduler.drain()
            finally:
                if self._chat is not None:
                    await self._chat.close()
                hurry.cancel()
                mind.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await mind

    def _build_chat(self, bots: dict[str, BotPace]) -> "Chat | None":
        """The chat, where somebody may steer the service there; it shares the slots of the bot."""
        token = self._settings.telegram.token
        if token is None or not self._settings.chatting:
            return None
        from threadcast.bot.chat.room import Chat  # noqa: PLC0415  # only where it is in use

        channels = () if self._settings.is_bare else self._channels
        shared = bots.setdefault(token.get_secret_value(), bot_pace(self._settings))
        return Chat(
            self._settings,
            channels,
            self._store.notebook(),
            desk_of=lambda actor: build_desk(
                self._settings, self._store, channels, actor=actor, clock=self._clock
            ),
            clock=self._clock,
            pace=partial(chat_pace, self._settings, shared),
        )

    def _wake(self) -> None:
        self._scheduler.wake()
        if self._chat is not None:
            self._chat.wake()

    def _hang_bell(self) -> wake.Bell:
        try:
            return wake.Bell(self._settings.data, self._wake)
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(f"the data folder {self._settings.data} cannot be used: {reason}") from error

    async def _mind(self) -> None:
        """Look whether the queue is still in its place: what is accepted elsewhere would be lost to us.

        The kernel tells when a file has gone from its folder; where it does not, a look now and then.
        """
        gone = asyncio.Event()
        watcher = self._watch_queue(partial(asyncio.get_running_loop().call_soon_threadsafe, gone.set))
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(gone.wait(), MIND)
                gone.clear()
                try:
                    await asyncio.to_thread(self._store.channels)
                except GoneError:
                    self.stop.asked.set()
                    raise
                except StoreError:
                    continue  # who needs it says so
        finally:
            if watcher is not None:
                watcher.close()

    def _watch_queue(self, heard: Callable[[], object]) -> "Watcher | None":
        url = parse_url(self._settings.database_url.get_secret_value())
        if url.drivername != "sqlite" or not url.database:
            return None
        from threadcast.bot.watch import GOING, Watcher  # noqa: PLC0415  # a server's queue needs none

        folder = Path(url.database).parent
        watcher = Watcher(heard, GOING)
        with contextlib.suppress(OSError):
            stat = folder.stat()
            watcher.follow({folder: (stat.st_dev, stat.st_ino)})
        return watcher

    def _greet(self) -> None:
        if is_sqlite(self._settings.database_url.get_secret_value()):
            # The lock says that no other service is here: what still holds a lease died with it.
            freed = self._store.free_leases(now=self._clock())
            if freed:
                log.info("took over what the last service left", deliveries=freed)
        measure.get_ready()
        for channel in self._channels:
            log.info("channel", name=channel.name, kind=channel.kind, target=channel.target)


async def serve(settings: Settings) -> None:
    """`threadcast run`: a service until SIGTERM or SIGINT. Raises AlreadyRunningError, StoreError."""
    with only_one(settings), contextlib.closing(await asyncio.to_thread(prepare, settings)) as store:
        await asyncio.to_thread(_look_through, settings)
        async with open_channels(settings, store) as channels:
            service = Service(settings, store, channels)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, _stop, service.stop, number)
            try:
                await service.run()
            except GoneError as error:
                raise GoneError(f"{error}; {await asyncio.to_thread(_rescue, store)}") from None
            log.info("stopped")


def _look_through(settings: Settings) -> None:
    """Before the queue is relied on: is it sound, and does it keep what it is told? Raises StoreError."""
    url = settings.database_url.get_secret_value()
    require_sound(url)
    for doubt in doubts(url):
        log.warning("the queue may lose what it was told last", reason=doubt.what, next=doubt.advice)


def _rescue(store: SqlStore) -> str:
    """Save what the queue held; what to tell its owner."""
    try:
        saved, place = store.rescue()
    except StoreError as error:
        return f"what it held could not be saved ({error})"
    return f"what it held is saved: mv {shlex.quote(str(saved))} {shlex.quote(str(place))}, and start again"


def _stop(stop: Stop, number: signal.Signals) -> None:
    log.info("stopping", signal=number.name, note="the post in hand is finished first")
    stop.asked.set()
