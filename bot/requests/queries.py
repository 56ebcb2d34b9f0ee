"""What a person can see of the queue: what waits, what came of it, and who did what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.publishing.budget import Prospect
from threadcast.bot.publishing.forecast import NOTHING_KNOWN, Forecast, Rhythm, forecast
from threadcast.queue.port import (
    AuditEvent,
    ChannelRow,
    Delivery,
    NotFoundError,
    PostRecord,
    Store,
    StoredThread,
)
from threadcast.queue.states import DeliveryState

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


class UnknownChannelError(Exception):
    """No channel of that name is configured."""


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


class Lookout:
    """The questions, and what it takes to answer them; what each argument is, the desk says."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        *,
        holds: Iterable[str],
        rhythms: Mapping[str, Rhythm],
        clock: Clock,
        actor: str,
        wake: Callable[[], bool],
        prospects: Callable[[datetime], Mapping[str, Prospect]] = lambda _: NOTHING_KNOWN,
    ) -> None:
        self._store = store
        self._channels = tuple(channels)
        self._holds = frozenset(holds)
        self._rhythms = rhythms
        self._clock = clock
        self._actor = actor
        self._wake = wake
        self._prospects = prospects

    @property
    def configured(self) -> frozenset[str]:
        """The names of the configured channels."""
        return frozenset(channel.name for channel in self._channels)

    def queue(self, *, channel: str | None = None) -> tuple[Delivery, ...]:
        """What is under way, waiting, held or unsure, in the order of the queue.

        Raises UnknownChannelError, as do `forecast` and `history`.
        """
        return self._store.deliveries(states=WAITING, channel=self._known(channel))

    def deliveries(self, states: frozenset[DeliveryState]) -> tuple[Delivery, ...]:
        """Every delivery in one of these states, in the order of the queue."""
        return self._store.deliveries(states=states)

    def forecast(self, *, channel: str | None = None) -> tuple[Forecast, ...]:
        """The queue, with when each delivery starts, why then, and when it should be through."""
        rows = {row.name: row for row in self._store.channels()}
        now = self._clock()
        return forecast(self.queue(channel=channel), rows, self._rhythms, now, self._prospects(now))

    def events(
        self, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        """Who did what, oldest first; of one thread, removed ones too, or of all. `after` that event's id.

        Raises NotFoundError where there never was such a thread.
        """
        found = self._store.events(thread_id=thread_id, limit=limit, after=after)
        if thread_id is not None and not found:
            raise NotFoundError(f"there never was a thread {thread_id}; see all: threadcast events")
        return found

    def history(
        self, *, channel: str | None = None, limit: int | None = None, skip: int = 0
    ) -> tuple[Chain, ...]:
        """What came to an end or stopped, newest first; the `skip` newest left out."""
        ended = self._store.deliveries(
            states=ENDED,
            channel=self._known(channel),
            newest_first=True,
            limit=None if limit is None else skip + limit,
        )
        return self._chains(ended[skip:])

    def show(self, thread_id: int) -> Dossier:
        """One thread whole. Raises NotFoundError."""
        return Dossier(
            self._store.thread(thread_id),
            self._chains(self._store.deliveries(thread_id=thread_id)),
            self._store.events(thread_id=thread_id),
        )

    def _known(self, channel: str | None) -> str | None:
        """A channel's name as it is stored, configured now or not."""
        if channel is None or channel.lower() in self.configured:
            return channel and channel.lower()
        known = [row.name for row in self._store.channels()]
        if channel.lower() not in known:
            raise UnknownChannelError(f"there is no channel called {channel}; known: {', '.join(known)}")
        return channel.lower()

    def _chains(self, deliveries: Sequence[Delivery]) -> tuple[Chain, ...]:
        posts = self._store.posts_of([delivery.id for delivery in deliveries])
        return tuple(Chain(delivery, posts[delivery.id]) for delivery in deliveries)

    def known_channels(self) -> tuple[ChannelRow, ...]:
        """Every channel the queue has seen, configured now or not."""
        return self._store.channels()

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
