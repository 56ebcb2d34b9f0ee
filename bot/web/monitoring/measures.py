"""What is counted of publishing while it goes on: by an observer, and by what stands before each channel."""

from collections.abc import Awaitable
from datetime import timedelta
from time import perf_counter
from typing import Any, Final, TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from threadcast.bot.channels.port import Channel, Outgoing, Sought
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Code, Look, Obstacle, Outcome
from threadcast.queue.states import ENDED, DeliveryState

_T = TypeVar("_T")

OUTCOMES: Final = ("sent", "throttled", "unreached", "refused", "unknown")
CAME_TO: Final = (DeliveryState.PUBLISHED, DeliveryState.FAILED, DeliveryState.UNSURE)
CALL_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LATE_SECONDS: Final = (1, 5, 10, 30, 60, 300, 900, 3600)


class Measures:
    """The counters of one process, in a registry of its own.

    A label is the name of a channel that is measured, its network, or a word of ours: there are not many.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._tables: dict[str, Timetable] = {}

        def count(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"threadcast_{name}", about, labels, registry=self.registry)

        self.posts = count("posts", "Sends of posts, by what they came to", "channel", "outcome")
        self.edits = count("edits", "Edits of posts that are out, by what they came to", "channel", "outcome")
        self.lookups = count("lookups", "Looks for posts in doubt, by what they came to", "channel", "found")
        self.chains = count(
            "chains", "Chains that were published, stopped (failed), or are unsure", "channel", "state"
        )
        self.waits = count(
            "waits", "Times that a chain was put off, to be tried again, by why", "channel", "code"
        )
        self.leases_lost = count(
            "leases_lost", "Chains that another machine took over while they went out here", "channel"
        )
        self.lateness = Histogram(
            "threadcast_start_lateness_seconds",
            "How long after its own time or its slot a chain began",
            ["channel"],
            buckets=LATE_SECONDS,
            registry=self.registry,
        )
        self.calls = Histogram(
            "threadcast_call_seconds",
            "How long calls of the publisher to a network took",
            ["network", "call"],
            buckets=CALL_SECONDS,
            registry=self.registry,
        )

    def measured(self, channel: Channel, timetable: Timetable) -> Channel:
        """Return a channel whose calls are counted and timed."""
        self._tables[channel.name] = timetable
        for outcome in OUTCOMES:  # a series that is there from the start shows its first event
            self.posts.labels(channel.name, outcome)
        for state in CAME_TO:
            self.chains.labels(channel.name, state)
        self.leases_lost.labels(channel.name)
        self.lateness.labels(channel.name)
        return cast(Channel, _Measured(channel, self))

    def see(self, delivery: Delivery) -> None:
        """Something about a delivery changed, as the publisher tells it."""
        table = self._tables.get(delivery.channel)
        if table is None:
            return
        if delivery.state in ENDED or delivery.state is DeliveryState.UNSURE:
            self.chains.labels(delivery.channel, delivery.state).inc()
        elif delivery.lease_owner is None and delivery.code is not Code.NONE:
            self.waits.labels(delivery.channel, delivery.code.replace(" ", "-")).inc()
        elif (late := lateness(delivery, table)) is not None:
            self.lateness.labels(delivery.channel).observe(late.total_seconds())

    def lost(self, channel: str) -> None:
        """The lease of what went out there is another worker's now."""
        self.leases_lost.labels(channel).inc()


def lateness(delivery: Delivery, table: Timetable) -> timedelta | None:
    """Return how late a delivery was claimed for the first time; None for what had no time to keep. Pure."""
    first = delivery.fence == 1 and not delivery.posts and delivery.lease_owner is not None
    if not first or delivery.started is None:
        return None
    if delivery.own_time:
        return delivery.started - max(delivery.due, delivery.queued)
    slot = table.start_at(last_slot=None, queued_at=delivery.queued, now=delivery.started).slot
    return None if slot is None else max(timedelta(0), delivery.started - table.jittered(slot))


class _Measured:
    """Stands before a channel. A call that was ended, or broke, may have done what it was to do: unknown."""

    def __init__(self, channel: Channel, measures: Measures) -> None:
        self._channel = channel
        self._measures = measures

    async def send(self, outgoing: Outgoing) -> Outcome:
        return await self._counted("send", self._measures.posts, self._channel.send(outgoing))

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        return await self._counted("edit", self._measures.edits, self._channel.edit(remote_id, outgoing))

    async def look_up(self, sought: Sought) -> Look:
        return await self._counted("look-up", self._measures.lookups, self._channel.look_up(sought))

    async def preflight(self) -> Obstacle | None:
        return await self._timed("preflight", self._channel.preflight())

    async def _counted(self, call: str, counter: Counter, made: Awaitable[_T]) -> _T:
        came = "unknown"
        try:
            outcome = await self._timed(call, made)
            came = type(outcome).__name__.lower()
            return outcome
        finally:
            counter.labels(self._channel.name, came).inc()

    async def _timed(self, call: str, made: Awaitable[_T]) -> _T:
        began = perf_counter()
        try:
            return await made
        finally:
            self._measures.calls.labels(self._channel.kind, call).observe(perf_counter() - began)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._channel, attribute)
