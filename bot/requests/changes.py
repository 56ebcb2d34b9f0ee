"""What a person can ask for, once: the shell uses it, chat and page will.

Every request gives values that say what was found or changed; how they look is the asker's business.
Errors name the thing, the cause and the next step, and are safe to show.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from threadcast.bot.publishing.takedown import Audit, Undo, Undoing, audit
from threadcast.bot.requests.input import InputError, Intake, continued, has_text, only_thread, understand
from threadcast.bot.requests.queries import ENDED, WAITING, Chain, Dossier, Lookout, UnknownChannelError, pick
from threadcast.queue.port import (
    Added,
    Adoption,
    ChannelRow,
    Delivery,
    NewDelivery,
    NewThread,
)
from threadcast.queue.states import DeliveryState, Event, NotAllowedError, Sent
from threadcast.queue.text.thread import Thread

__all__ = ["ENDED", "WAITING", "Chain", "Desk", "Dossier", "Receipt", "UnknownChannelError", "pick"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one thread that was added; `woken` is False where no service is running."""

    source: str
    thread: Thread
    added: Added


class Desk(Lookout):
    """The requests. `actor` is who asks, for the audit log; `wake` tells a running service to look.

    `prospects` tell of each channel how fast it goes at a moment, and how much is left to it.
    """

    # Adding

    def add(
        self,
        intakes: Sequence[Intake],
        *,
        channels: Sequence[str] = (),
        at: datetime | None = None,
        hold: bool = False,
        because: str = "you asked to hold it",
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Receipt, ...]:
        """Queue every thread of every source, or none of them. Raises UnknownChannelError, StoreError.

        With `hold` they wait for a person, `because` says why. With `since`, what was added then or later
        is a duplicate even where it has failed or was cancelled meanwhile: see `Store.add`.
        """
        picked = pick(self._channels, channels)
        now = self._clock()
        pairs = [(intake.source, thread) for intake in intakes for thread in intake.threads]
        wishes = [
            NewThread(
                thread,
                source,
                tuple(
                    self._wish(thread, channel.name, at, held=because if hold else "") for channel in picked
                ),
            )
            for source, thread in pairs
        ]
        added = self._store.add(wishes, now=now, actor=self._actor, again=again, since=since)
        self._wake()
        return tuple(Receipt(source, thread, one) for (source, thread), one in zip(pairs, added, strict=True))

    def adopt(self, intake: Intake, *, channel: str, parts: int, last: Sent) -> Receipt:
        """Take over a chain that someone began by hand: its first `parts` parts are out, the last as `last`.

        Raises InputError, UnknownChannelError, StoreError.
        """
        thread = only_thread(intake)
        if not 0 < parts < len(thread.parts):
            count = len(thread.parts)
            raise InputError(f"{intake.source} has {count} parts: of these 1 to {count - 1} can be out")
        if not (has_text(thread.parts[:parts]) and has_text(thread.parts[parts:])):
            raise InputError(
                f"{intake.source} has no text in its first {parts} parts, or none after them: "
                "give every part as it was posted, or will be"
            )
        (picked,) = pick(self._channels, [channel])
        wish = replace(
            self._wish(thread, picked.name, self._clock(), held=""), adoption=Adoption(parts, last)
        )
        new = NewThread(thread, intake.source, (wish,))
        (added,) = self._store.add([new], now=self._clock(), actor=self._actor)
        self._wake()
        return Receipt(intake.source, thread, added)

    def _wish(self, thread: Thread, channel: str, at: datetime | None, *, held: str) -> NewDelivery:
        reason = held
        if thread.warnings:
            more = len(thread.warnings) - 1
            reason = thread.warnings[0].message + (f" (and {more} more)" if more else "")
        elif not held and channel in self._holds:
            reason = "this channel holds every thread for approval"
        state = DeliveryState.HELD if reason else DeliveryState.QUEUED
        return NewDelivery(channel, state, at or self._clock(), reason, own_time=at is not None)

    # Changing

    def change(self, thread_id: int, event: Event, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Hold, release, cancel or retry a thread, on the channels named or wherever its state allows.

        Raises NotFoundError, and NotAllowedError where no delivery of it allows the event.
        """
        now = self._clock()
        due = now if event is Event.RETRY else None
        return self._each(
            thread_id,
            channels,
            lambda one: self._store.apply(one.id, event, now=now, actor=self._actor, due=due),
        )

    def _each(
        self, thread_id: int, channels: Sequence[str], change: Callable[[Delivery], Delivery]
    ) -> tuple[Delivery, ...]:
        """Change a thread's deliveries wherever that is allowed. Raises NotAllowedError where nowhere."""
        changed: list[Delivery] = []
        refusals: list[NotAllowedError] = []
        for delivery in self._of(thread_id, channels):
            try:
                changed.append(change(delivery))
            except NotAllowedError as error:
                refusals.append(NotAllowedError(f"thread {thread_id} on {delivery.channel}: {error}"))
        if not changed:
            raise refusals[0]
        self._wake()
        return tuple(changed)

    def schedule(
        self, thread_id: int, moment: datetime, *, channels: Sequence[str] = ()
    ) -> tuple[Delivery, ...]:
        """Give a thread a time of its own, whatever its channels' schedules; one that is held is let go.

        Raises NotFoundError, and NotAllowedError where no delivery of it waits.
        """
        return self._each(
            thread_id,
            channels,
            lambda one: self._store.apply(
                one.id, Event.SCHEDULE, now=self._clock(), actor=self._actor, due=moment
            ),
        )

    def publish(self, thread_id: int, *, channels: Sequence[str] = (), now: bool) -> tuple[Delivery, ...]:
        """Let a held thread go; with `now`, before all others and without waiting for a slot.

        A channel named that it was not meant for so far is added. Raises NotFoundError, NotAllowedError,
        UnknownChannelError.
        """
        names = [name.lower() for name in channels]
        meant_for = {one.channel for one in self._of(thread_id, ())}
        added = self._add_to(thread_id, [name for name in names if name not in meant_for], now=now)
        known = [name for name in names if name in meant_for]
        changed: tuple[Delivery, ...] = ()
        try:
            if known or not names:
                changed = self._release(thread_id, known, now=now)
        except NotAllowedError:
            if not added:
                raise
        return (*added, *changed)

    def _release(self, thread_id: int, channels: Sequence[str], *, now: bool) -> tuple[Delivery, ...]:
        if not now:
            if all(one.state is DeliveryState.QUEUED for one in self._of(thread_id, channels)):
                raise NotAllowedError(
                    f"thread {thread_id} is queued already, and goes out in its turn; "
                    f"to publish it at once: threadcast publish {thread_id} --now"
                )
            return self.change(thread_id, Event.RELEASE, channels=channels)
        moment = self._clock()

        def first(one: Delivery) -> Delivery:
            changed = self._store.apply(one.id, Event.SCHEDULE, now=moment, actor=self._actor, due=moment)
            return self._to_the_front(changed)

        return self._each(thread_id, channels, first)

    def _to_the_front(self, one: Delivery) -> Delivery:
        with suppress(NotAllowedError):  # a service took it meanwhile: it needs no place any more
            return self._store.move(one.id, None, now=self._clock(), actor=self._actor)
        return one

    def _add_to(self, thread_id: int, names: Sequence[str], *, now: bool) -> tuple[Delivery, ...]:
        """Queue a thread on more channels: whoever asks to publish it there has approved it."""
        if not names:
            return ()
        moment = self._clock()
        wishes = [
            NewDelivery(channel.name, DeliveryState.QUEUED, moment, own_time=now)
            for channel in pick(self._channels, names)
        ]
        added = self._store.add_to(thread_id, wishes, now=moment, actor=self._actor)
        if not added.deliveries:
            twin = added.duplicates[0].existing
            raise NotAllowedError(
                f"the text of thread {thread_id} is on {twin.channel} already, "
                f"{twin.state} as thread {twin.thread_id}; see: threadcast show {twin.thread_id}"
            )
        queued = tuple(map(self._to_the_front, added.deliveries)) if now else added.deliveries
        self._wake()
        return queued

    def move(
        self, thread_id: int, *, channels: Sequence[str] = (), after: int | None
    ) -> tuple[Delivery, ...]:
        """Put a thread first in its channels' queues, or behind thread `after` where that waits too.

        Raises NotFoundError, NotAllowedError.
        """
        if after == thread_id:
            raise NotAllowedError(f"thread {thread_id} cannot go behind itself; name another thread")
        behind = {} if after is None else {one.channel: one.id for one in self._of(after, ())}

        def move(one: Delivery) -> Delivery:
            if after is not None and one.channel not in behind:
                raise NotAllowedError(f"thread {after} is not meant for {one.channel}")
            return self._store.move(one.id, behind.get(one.channel), now=self._clock(), actor=self._actor)

        return self._each(thread_id, channels, move)

    def pause(self, names: Sequence[str] = ()) -> tuple[ChannelRow, ...]:
        """Publish nothing more on these channels (all of them) until `resume`. Raises UnknownChannelError."""
        return self._pause(names, paused=True)

    def resume(self, names: Sequence[str] = ()) -> tuple[ChannelRow, ...]:
        """Let paused channels go on. Raises UnknownChannelError."""
        return self._pause(names, paused=False)

    def _pause(self, names: Sequence[str], *, paused: bool) -> tuple[ChannelRow, ...]:
        rows = tuple(
            self._store.pause(channel.name, paused, now=self._clock(), actor=self._actor)
            for channel in pick(self._channels, names)
        )
        self._wake()
        return rows

    def edit(self, thread_id: int, text: str) -> tuple[Delivery, ...]:
        """Replace the text of a thread that has not begun; one with warnings is held.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        thread = only_thread(understand("the new text", text.encode()))
        edited = self._store.edit(thread_id, thread, now=self._clock(), actor=self._actor)
        self._wake()
        if not thread.warnings:
            return edited
        return tuple(
            self._store.apply(one.id, Event.HOLD, now=self._clock(), actor=self._actor)
            if one.state is DeliveryState.QUEUED
            else one
            for one in edited
        )

    def extend(self, thread_id: int, intake: Intake) -> tuple[Delivery, ...]:
        """Append parts to a thread: what is published goes on from its last post.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        thread = continued(self._store.thread(thread_id).thread, intake)
        extended = self._store.extend(thread_id, thread, now=self._clock(), actor=self._actor)
        self._wake()
        return extended

    def remove(self, thread_id: int) -> None:
        """Forget a thread of which nothing was sent. Raises NotFoundError, NotAllowedError."""
        self._store.remove(thread_id, now=self._clock(), actor=self._actor)

    def settle(self, thread_id: int, sent: Sent | None, *, channels: Sequence[str] = ()) -> Delivery:
        """Say of a thread's doubtful post that it is out, or that it is not.

        Raises NotFoundError, and NotAllowedError where not exactly one delivery of it is unsure.
        """
        mine = self._of(thread_id, channels)
        unsure = [delivery for delivery in mine if delivery.state is DeliveryState.UNSURE]
        if len(unsure) != 1:
            where = ", ".join(f"{delivery.channel}: {delivery.state}" for delivery in mine)
            wish = "name one with --channel" if unsure else "there is nothing to settle"
            count = f"{len(unsure)} channels" if unsure else "no channel"
            raise NotAllowedError(f"thread {thread_id} is unsure on {count} ({where}); {wish}")
        settled = self._store.settle(unsure[0].id, sent, now=self._clock(), actor=self._actor)
        self._wake()
        return settled

    def skip(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Leave the refused post of a stopped chain out, and go on behind it.

        Raises NotFoundError, and NotAllowedError where no chain of the thread stopped at a refused post.
        """
        now = self._clock()
        return self._each(
            thread_id, channels, lambda one: self._store.skip(one.id, now=now, actor=self._actor)
        )

    def withdraw(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Stop chains of a thread for good, so that their posts can be taken down (`undo`).

        Those withdrawn before are among the answer: taking down goes on. Raises NotFoundError,
        NotAllowedError.
        """

        def withdraw(one: Delivery) -> Delivery:
            if one.state is DeliveryState.WITHDRAWN:
                return one
            return self._store.withdraw(one.id, now=self._clock(), actor=self._actor)

        return self._each(thread_id, channels, withdraw)

    async def undo(
        self,
        thread_id: int,
        *,
        channels: Sequence[str] = (),
        see: Callable[[Undoing], None],
        pause: Callable[[datetime], Awaitable[None]],
    ) -> tuple[Undoing, ...]:
        """Take a thread's posts down, on the channels named or wherever its state allows.

        Raises NotFoundError, NotAllowedError, and UnknownChannelError where a channel is not configured
        any more.
        """
        withdrawn = self.withdraw(thread_id, channels=channels)
        work = Undo(self._store, actor=self._actor, clock=self._clock, see=see, pause=pause)
        try:
            return tuple(
                [await work.take_down(one, pick(self._channels, [one.channel])[0]) for one in withdrawn]
            )
        finally:
            self._wake()  # whoever reports on the thread saw how it began, and is to see how it ended

    async def audit(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Audit, ...]:
        """Compare a thread's chains with what the networks show.

        Raises NotFoundError, and UnknownChannelError where a channel is not configured any more.
        """
        return tuple(
            [
                await audit(one, self._store.posts(one.id), pick(self._channels, [one.channel])[0])
                for one in self._of(thread_id, channels)
                if one.sent
            ]
        )

    async def mend(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Retry stopped chains behind the last post that the network still shows.

        For a chain that stopped because a post of it was deleted by hand. Raises NotFoundError,
        UnknownChannelError, and NotAllowedError where none stopped, or the network does not show one.
        """
        stopped = [one for one in self._of(thread_id, channels) if one.state is DeliveryState.FAILED]
        for one in stopped:
            posts = self._store.posts(one.id)
            found = await audit(one, posts, pick(self._channels, [one.channel])[0])
            if found.problem:
                raise NotAllowedError(
                    f"thread {thread_id} on {one.channel} could not be looked at: {found.problem}"
                )
            for difference in found.differences:
                if difference.kind == "missing" and difference.position is not None:
                    self._store.note_gone(one.id, difference.position, now=self._clock(), actor=self._actor)
        return self.change(thread_id, Event.RETRY, channels=channels)
