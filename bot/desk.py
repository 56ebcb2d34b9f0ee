"""What a person can ask for, once: the shell uses it, chat and page will.

Every request gives values that say what was found or changed; how they look is the asker's business.
Errors name the thing, the cause and the next step, and are safe to show.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from threadcast.bot.channels.port import Channel, Clock, NotReadyError
from threadcast.queue.compose import CannotComposeError, Numbering, Post, Rules, compose
from threadcast.queue.measure import telegram
from threadcast.queue.parse import NotTextError, decode, parse
from threadcast.queue.states import DeliveryState, Event, NotAllowedError, Sent
from threadcast.queue.store import (
    Added,
    AuditEvent,
    ChannelRow,
    Delivery,
    NewDelivery,
    NewThread,
    NotFoundError,
    PostRecord,
    Store,
    StoredThread,
)
from threadcast.queue.thread import Thread

MAX_INPUT = 20 * 1024 * 1024  # bytes; what Telegram lets a bot download is the measure for all ways in
ENDED = frozenset(
    {
        DeliveryState.PUBLISHED,
        DeliveryState.FAILED,
        DeliveryState.UNSURE,
        DeliveryState.CANCELLED,
        DeliveryState.WITHDRAWN,
    }
)
WAITING = frozenset(
    {DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING, DeliveryState.UNSURE}
)


class InputError(Exception):
    """The text given cannot be used; the message names the source, the cause and the next step."""


class UnknownChannelError(Exception):
    """No channel of that name is configured."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One source, read: its name and the threads in it."""

    source: str
    threads: tuple[Thread, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """One thread as one channel will show it. `problem` says why there are no posts, or what was assumed."""

    channel: str
    thread: int
    limit: int
    posts: tuple[Post, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one thread that was added; `woken` is False where no service is running."""

    source: str
    thread: Thread
    added: Added


@dataclass(frozen=True, slots=True)
class Chain:
    """A delivery with its posts."""

    delivery: Delivery
    posts: tuple[PostRecord, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All there is to know of one thread."""

    stored: StoredThread
    chains: tuple[Chain, ...]
    events: tuple[AuditEvent, ...]


def read(source: str, stdin: IO[bytes]) -> Intake:
    """Read one file, or standard input for `-`, and parse it. Raises InputError."""
    name = "standard input" if source == "-" else source
    try:
        if source == "-":
            data = stdin.read(MAX_INPUT + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(
            f"{name} is a folder; name the files in it, as in: threadcast add {name}/*.txt"
        ) from None
    except PermissionError:
        raise InputError(f"{name}: you may not read it; try: chmod u+r {name}") from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{name}: it cannot be read: {cause}") from None
    return understand(name, data)


def understand(name: str, data: bytes) -> Intake:
    """Parse what was read. Raises InputError where it is too large, not text, or empty."""
    if len(data) > MAX_INPUT:
        megabytes = MAX_INPUT // (1024 * 1024)
        raise InputError(f"{name} is larger than {megabytes} MB; split it into several files")
    try:
        threads = parse(decode(data))
    except NotTextError as error:
        raise InputError(f"{name} is not a text file: {error}; save it as UTF-8 text") from None
    if not threads:
        raise InputError(f"{name} is empty: there is nothing to add")
    return Intake(name, threads)


def pick(channels: Sequence[Channel], names: Sequence[str]) -> tuple[Channel, ...]:
    """The channels of these names, each once; all of them where no name is given.

    Raises UnknownChannelError.
    """
    by_name = {channel.name: channel for channel in channels}
    for name in names:
        if name.lower() not in by_name:
            raise UnknownChannelError(f"there is no channel called {name}; configured: {', '.join(by_name)}")
    wanted = dict.fromkeys(name.lower() for name in names) or by_name
    return tuple(by_name[name] for name in wanted)


async def preview_posts(threads: Sequence[Thread], channels: Sequence[Channel]) -> tuple[Preview, ...]:
    """Every thread as every channel will show it, channel by channel. Asks servers for their limits."""
    previews: list[Preview] = []
    for channel in channels:
        problem = ""
        try:
            rules = await channel.rules()
        except NotReadyError as error:
            rules = ASSUMED
            problem = f"its limits are not known now ({error}); these posts assume {ASSUMED.limit} characters"
        for index, thread in enumerate(threads, start=1):
            try:
                posts = compose(thread, rules)
            except CannotComposeError as error:
                previews.append(Preview(channel.name, index, rules.limit, (), str(error)))
            else:
                previews.append(Preview(channel.name, index, rules.limit, posts, problem))
    return tuple(previews)


class Desk:
    """The requests. `actor` is who asks, for the audit log; `wake` tells a running service to look."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        *,
        holds: Iterable[str],
        clock: Clock,
        actor: str,
        wake: Callable[[], bool],
    ) -> None:
        self._store = store
        self._channels = tuple(channels)
        self._holds = frozenset(holds)
        self._clock = clock
        self._actor = actor
        self._wake = wake

    # Adding

    def add(
        self,
        intakes: Sequence[Intake],
        *,
        channels: Sequence[str] = (),
        at: datetime | None = None,
        hold: bool = False,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Receipt, ...]:
        """Queue every thread of every source, or none of them. Raises UnknownChannelError, StoreError.

        With `since`, what was added then or later is a duplicate even where it has failed or was
        cancelled meanwhile: see `Store.add`.
        """
        picked = pick(self._channels, channels)
        now = self._clock()
        pairs = [(intake.source, thread) for intake in intakes for thread in intake.threads]
        wishes = [
            NewThread(
                thread,
                source,
                tuple(self._wish(thread, channel.name, at or now, hold=hold) for channel in picked),
            )
            for source, thread in pairs
        ]
        added = self._store.add(wishes, now=now, actor=self._actor, again=again, since=since)
        self._wake()
        return tuple(Receipt(source, thread, one) for (source, thread), one in zip(pairs, added, strict=True))

    def _wish(self, thread: Thread, channel: str, due: datetime, *, hold: bool) -> NewDelivery:
        reason = ""
        if thread.warnings:
            more = len(thread.warnings) - 1
            reason = thread.warnings[0].message + (f" (and {more} more)" if more else "")
        elif hold:
            reason = "you asked to hold it"
        elif channel in self._holds:
            reason = "this channel holds every thread for approval"
        state = DeliveryState.HELD if reason else DeliveryState.QUEUED
        return NewDelivery(channel, state, due, reason)

    # Looking

    @property
    def configured(self) -> frozenset[str]:
        """The names of the configured channels."""
        return frozenset(channel.name for channel in self._channels)

    def queue(self, *, channel: str | None = None) -> tuple[Delivery, ...]:
        """What is under way, waiting, held or unsure, in the order of the queue."""
        return self._store.deliveries(states=WAITING, channel=channel)

    def history(self, *, channel: str | None = None, limit: int | None = None) -> tuple[Chain, ...]:
        """What came to an end or stopped, newest first."""
        ended = self._store.deliveries(states=ENDED, channel=channel, newest_first=True, limit=limit)
        return tuple(Chain(delivery, self._store.posts(delivery.id)) for delivery in ended)

    def show(self, thread_id: int) -> Dossier:
        """One thread whole. Raises NotFoundError."""
        return Dossier(
            self._store.thread(thread_id),
            tuple(
                Chain(delivery, self._store.posts(delivery.id))
                for delivery in self._store.deliveries(thread_id=thread_id)
            ),
            self._store.events(thread_id=thread_id),
        )

    def known_channels(self) -> tuple[ChannelRow, ...]:
        """Every channel the queue has seen, configured now or not."""
        return self._store.channels()

    # Changing

    def change(self, thread_id: int, event: Event, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Hold, release, cancel or retry a thread, on the channels named or wherever its state allows.

        Raises NotFoundError, and NotAllowedError where no delivery of it allows the event.
        """
        changed: list[Delivery] = []
        refusals: list[NotAllowedError] = []
        now = self._clock()
        due = now if event is Event.RETRY else None
        for delivery in self._of(thread_id, channels):
            try:
                changed.append(self._store.apply(delivery.id, event, now=now, actor=self._actor, due=due))
            except NotAllowedError as error:
                refusals.append(NotAllowedError(f"thread {thread_id} on {delivery.channel}: {error}"))
        if not changed:
            raise refusals[0]
        self._wake()
        return tuple(changed)

    def settle(self, thread_id: int, sent: Sent | None, *, channels: Sequence[str] = ()) -> Delivery:
        """Say of a thread's doubtful post that it is out, or that it is not.

        Raises NotFoundError, and NotAllowedError where not exactly one delivery of it is unsure.
        """
        mine = self._of(thread_id, channels)
        unsure = [delivery for delivery in mine if delivery.state is DeliveryState.UNSURE]
        if len(unsure) != 1:
            where = ", ".join(f"{delivery.channel}: {delivery.state}" for delivery in mine)
            wish = "name one with --channel" if unsure else "there is nothing to settle"
            raise NotAllowedError(f"thread {thread_id} is unsure on {len(unsure)} channels ({where}); {wish}")
        settled = self._store.settle(unsure[0].id, sent, now=self._clock(), actor=self._actor)
        self._wake()
        return settled

    def _of(self, thread_id: int, channels: Sequence[str]) -> tuple[Delivery, ...]:
        self._store.thread(thread_id)
        names = {name.lower() for name in channels}
        mine = tuple(
            delivery
            for delivery in self._store.deliveries(thread_id=thread_id)
            if not names or delivery.channel in names
        )
        if not mine:
            raise NotFoundError(
                f"thread {thread_id} was never meant for {', '.join(sorted(names))}; "
                f"see: threadcast show {thread_id}"
            )
        return mine


# What Mastodon allows unless a server says otherwise; also the shortest of the platforms.
ASSUMED = Rules(500, telegram, Numbering.KEEP)
