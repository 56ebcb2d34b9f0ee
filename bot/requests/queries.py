"""What a person can see of the queue: what waits, what came of it, and who did what."""

from collections.abc import Sequence
from dataclasses import dataclass

from threadcast.bot.publishing.forecast import Forecast, forecast
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.errors import Problem, UnknownChannelError, UnknownThreadError
from threadcast.queue.model import AuditEvent, ChannelRow, Delivery, PostRecord, StoredThread
from threadcast.queue.states import OVER, WAITING, DeliveryState


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


class Queries:
    """Each answers from the queue as it is now. Raises StoreError."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    @property
    def configured(self) -> frozenset[str]:
        """Return the names of the configured channels."""
        return frozenset(channel.name for channel in self._context.channels)

    def channels(self) -> tuple[ChannelRow, ...]:
        """Return every channel the queue has seen, configured now or not."""
        return self._database.reading.channels()

    def queue(self, *, channel: str | None = None) -> tuple[Delivery, ...]:
        """Return what is under way, waiting, held or unsure, in the order of the queue.

        Raises UnknownChannelError, as do `forecast` and `history`.
        """
        return self._database.reading.deliveries(states=WAITING, channel=self._known(channel))

    def deliveries(self, states: frozenset[DeliveryState]) -> tuple[Delivery, ...]:
        """Return every delivery in one of these states, in the order of the queue."""
        return self._database.reading.deliveries(states=states)

    def forecast(self, *, channel: str | None = None) -> tuple[Forecast, ...]:
        """Return the queue, with when each delivery starts, why then, and when it should be through."""
        rows = {row.name: row for row in self._database.reading.channels()}
        now = self._context.clock()
        prospects = self._context.prospects(now)
        return forecast(self.queue(channel=channel), rows, self._context.rhythms, now, prospects)

    def events(
        self, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        """Return who did what, oldest first: of one thread, a removed one too, or of all; `after` that id.

        Raises NotFoundError where there never was such a thread.
        """
        found = self._database.reading.events(thread_id=thread_id, limit=limit, after=after)
        if thread_id is not None and not found:
            raise UnknownThreadError(Problem.NEVER_WAS, thread=thread_id)
        return found

    def history(
        self, *, channel: str | None = None, limit: int | None = None, skip: int = 0
    ) -> tuple[Chain, ...]:
        """Return what came to an end or stopped, newest first; the `skip` newest left out."""
        ended = self._database.reading.deliveries(
            states=OVER,
            channel=self._known(channel),
            newest_first=True,
            limit=None if limit is None else skip + limit,
        )
        return self._chains(ended[skip:])

    def show(self, thread_id: int) -> Dossier:
        """Return one thread whole. Raises NotFoundError."""
        return Dossier(
            self._database.reading.thread(thread_id),
            self._chains(self._database.reading.deliveries(thread_id=thread_id)),
            self._database.reading.events(thread_id=thread_id),
        )

    def _known(self, channel: str | None) -> str | None:
        """Return a channel's name as it is stored, configured now or not."""
        if channel is None or channel.lower() in self.configured:
            return channel and channel.lower()
        known = [row.name for row in self._database.reading.channels()]
        if channel.lower() not in known:
            raise UnknownChannelError(Problem.UNKNOWN_CHANNEL, channel=channel, names=known, cause="known")
        return channel.lower()

    def _chains(self, deliveries: Sequence[Delivery]) -> tuple[Chain, ...]:
        posts = self._database.reading.posts_of([delivery.id for delivery in deliveries])
        return tuple(Chain(delivery, posts[delivery.id]) for delivery in deliveries)
