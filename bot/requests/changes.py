"""Changes of what is queued: its state, its time, its place, its channels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Self

from threadcast.bot.plain import plain
from threadcast.bot.requests.context import RequestContext, pick
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.queue.errors import NotAllowedError
from threadcast.queue.model import ChannelRow, Delivery, NewDelivery, PostRecord
from threadcast.queue.outcomes import Sent
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState, Event

LONGEST_NOTE: Final = 500  # code points


class Changed(tuple[Delivery, ...]):  # noqa: SLOT001  # a tuple has no room for more
    """The deliveries that a request changed; `refused` says why it did not change others of the thread."""

    refused: tuple[RefusedError, ...]

    def __new__(cls, changed: Iterable[Delivery], refused: Iterable[RefusedError] = ()) -> Self:
        one = super().__new__(cls, changed)
        one.refused = tuple(refused)
        return one


class Changes:
    """Each request changes a thread on the channels named, or wherever its state allows it.

    It returns what was changed. Raises NotFoundError, and NotAllowedError where nothing allows it.
    """

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    def apply(
        self, thread_id: int, event: Event, *, channels: Sequence[str] = (), due: datetime | None = None
    ) -> Changed:
        """Hold, release, cancel, retry a thread, or give it a time of its own."""
        signed, apply = self._context.signature(), self._database.changes.apply
        moment = signed["now"] if event is Event.RETRY else due
        return self._each(thread_id, channels, lambda one: apply(one.id, event, **signed, due=moment))

    def in_turn(self, thread_id: int, *, channels: Sequence[str] = ()) -> Changed:
        """Let a thread go, without a time of its own: by a slot of each channel that has a schedule."""
        meant = self._context.deliveries(thread_id, channels)
        names = [one.channel for one in meant if self._context.may_wait_for_slot(one)]
        if not names:
            raise RefusedError(Problem.NO_SLOTS, thread=thread_id)
        return self.apply(thread_id, Event.SCHEDULE, channels=names)

    def publish(
        self, thread_id: int, *, channels: Sequence[str] = (), now: bool, after: int | None = None
    ) -> Changed:
        """Let a held thread go; with `now`, before all others and without waiting for a slot.

        With `after`, before all others but that thread, where it waits too. A channel named that it was
        not meant for so far is added. Raises UnknownChannelError.
        """
        names = [name.lower() for name in channels]
        meant_for = {one.channel for one in self._context.deliveries(thread_id)}
        behind = {} if after is None else {one.channel: one.id for one in self._context.deliveries(after)}
        added = self._add_to(thread_id, [name for name in names if name not in meant_for], now=now)
        known = [name for name in names if name in meant_for]
        changed = Changed(())
        try:
            if known or not names:
                changed = self._release(thread_id, known, behind, now=now)
        except RefusedError as error:
            if not added:
                raise
            changed = Changed((), error.refusals or [error])
        return Changed([*added, *changed], changed.refused)

    def move(self, thread_id: int, *, channels: Sequence[str] = (), after: int | None) -> Changed:
        """Put a thread first in its channels' queues, or behind thread `after` where that waits too."""
        if after == thread_id:
            raise RefusedError(Problem.BEHIND_ITSELF, thread=thread_id)
        behind = {} if after is None else {one.channel: one.id for one in self._context.deliveries(after)}

        def move(one: Delivery) -> Delivery:
            if after is not None and one.channel not in behind:
                raise RefusedError(Problem.ELSEWHERE, thread=after, channel=one.channel)
            signed = self._context.signature()
            return self._database.changes.move(one.id, behind.get(one.channel), **signed)

        return self._each(thread_id, channels, move)

    def pause(self, names: Sequence[str] = (), *, paused: bool = True) -> tuple[ChannelRow, ...]:
        """Publish nothing more on these channels (all of them), or let them go on.

        Raises UnknownChannelError.
        """
        signed, picked = self._context.signature(), pick(self._context.channels, names)
        rows = tuple(self._database.changes.pause(one.name, paused, **signed) for one in picked)
        self._context.wake([row.name for row in rows])
        return rows

    def settle(self, thread_id: int, sent: Sent | None, *, channels: Sequence[str] = ()) -> Delivery:
        """Note whether a thread's doubtful post is out, or correct it (`doubted`): `sent` was looked at."""
        one, _ = self.doubted(thread_id, channels=channels)
        settled = self._database.changes.settle(one.id, sent, **self._context.signature())
        self._context.wake([settled.channel])
        return settled

    def doubted(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Delivery, PostRecord]:
        """Return the post in doubt, or where none is the one that was last; on exactly one channel."""
        mine = self._context.deliveries(thread_id, channels)
        posts = self._database.reading.posts_of([one.id for one in mine])
        doubts = {
            one.id: [post for post in posts[one.id] if post.doubted is not None and post.taken_down is None]
            for one in mine
        }
        unsure = [one for one in mine if one.state is DeliveryState.UNSURE]
        found = unsure or [one for one in mine if doubts[one.id]]
        if len(found) != 1 or not doubts[found[0].id]:
            raise RefusedError(Problem.NOT_ONE_UNSURE, thread=thread_id, deliveries=mine)
        return found[0], doubts[found[0].id][-1]

    def skip(self, thread_id: int, *, channels: Sequence[str] = ()) -> Changed:
        """Leave the refused post of a stopped chain out, and go on behind it."""
        signed, skip = self._context.signature(), self._database.changes.skip
        return self._each(thread_id, channels, lambda one: skip(one.id, **signed))

    def send_back(self, thread_id: int, note: str) -> Changed:
        """Say of a held thread that it is not to go out as it is, and why: it stays held."""
        signed, send_back = self._context.signature(), self._database.changes.send_back
        said = " ".join(plain(note).split())[:LONGEST_NOTE]
        reason = Sentence("sent back: {note}", note=said) if said else Sentence("sent back")
        return self._each(thread_id, (), lambda one: send_back(one.id, reason, **signed))

    def withdraw(self, thread_id: int, *, channels: Sequence[str] = ()) -> Changed:
        """Stop chains for good, so that their posts can be taken down (`Chains.undo`).

        Those withdrawn before are among the answer: taking down goes on.
        """

        def withdraw(one: Delivery) -> Delivery:
            if one.state is DeliveryState.WITHDRAWN:
                return one
            return self._database.changes.withdraw(one.id, **self._context.signature())

        return self._each(thread_id, channels, withdraw)

    def _each(
        self, thread_id: int, channels: Sequence[str], change: Callable[[Delivery], Delivery]
    ) -> Changed:
        changed: list[Delivery] = []
        refusals: list[RefusedError] = []
        for delivery in self._context.deliveries(thread_id, channels):
            try:
                changed.append(change(delivery))
            except NotAllowedError as error:
                refusals.append(
                    RefusedError(Problem.NOT_HERE, thread=thread_id, channel=delivery.channel, cause=error)
                )
        if not changed:
            if len(refusals) == 1:
                raise refusals[0]
            raise RefusedError(Problem.NOWHERE, thread=thread_id, refusals=refusals)
        self._context.wake([one.channel for one in changed])
        return Changed(changed, refusals)

    def _release(
        self, thread_id: int, channels: Sequence[str], behind: Mapping[str, int], *, now: bool
    ) -> Changed:
        if not now:
            waiting = self._context.deliveries(thread_id, channels)
            if all(one.state is DeliveryState.QUEUED for one in waiting):
                raise RefusedError(Problem.QUEUED, thread=thread_id)
            return self.apply(thread_id, Event.RELEASE, channels=channels)
        signed, apply = self._context.signature(), self._database.changes.apply

        def first(one: Delivery) -> Delivery:
            changed = apply(one.id, Event.SCHEDULE, **signed, due=signed["now"])
            return self._first(changed, behind.get(one.channel))

        return self._each(thread_id, channels, first)

    def _first(self, one: Delivery, behind: int | None = None) -> Delivery:
        """Move it before all others, or behind one of them; what a service took meanwhile needs no place."""
        for place in dict.fromkeys([behind, None]):
            with suppress(NotAllowedError):
                return self._database.changes.move(one.id, place, **self._context.signature())
        return one

    def _add_to(self, thread_id: int, names: Sequence[str], *, now: bool) -> tuple[Delivery, ...]:
        """Queue a thread on more channels: whoever asks to publish it there has approved it."""
        if not names:
            return ()
        moment = self._context.clock()
        new = [
            NewDelivery(channel.name, DeliveryState.QUEUED, moment, own_time=now)
            for channel in pick(self._context.channels, names)
        ]
        added = self._database.threads.add_to(thread_id, new, now=moment, actor=self._context.actor)
        if not added.deliveries:
            twin = added.duplicates[0].existing
            raise RefusedError(Problem.SAME_TEXT, thread=thread_id, deliveries=[twin])
        queued = tuple(map(self._first, added.deliveries)) if now else added.deliveries
        self._context.wake([one.channel for one in queued])
        return queued
