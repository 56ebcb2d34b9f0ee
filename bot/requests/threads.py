"""Texts that become threads of the queue: added, taken over, edited, continued, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from threadcast.bot.requests.context import RequestContext, pick
from threadcast.bot.requests.input import InputError, Intake, continued, has_text, only_thread, understand
from threadcast.bot.wording import noticed
from threadcast.queue.model import Added, Adoption, Delivery, NewDelivery, NewThread
from threadcast.queue.outcomes import Code, Sent
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.text.thread import Thread

UNCONFIRMED = "nobody has said yet that it may be public"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one thread that was added."""

    source: str
    thread: Thread
    added: Added


class Threads:
    """Each request is done whole, or on any error not at all."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    def add(
        self,
        intakes: Sequence[Intake],
        *,
        channels: Sequence[str] = (),
        at: datetime | None = None,
        hold: bool = False,
        because: str = "you asked to hold it",
        confirm: bool = False,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Receipt, ...]:
        """Queue every thread of every source.

        With `hold` they wait for a person, `because` says why. With `confirm` they wait for one where
        nothing else would keep them from going out at once: no schedule, no time given. With `since`,
        what was added then or later is a duplicate even where it has failed or was cancelled meanwhile.
        Raises UnknownChannelError, StoreError.
        """
        picked = pick(self._context.channels, channels)
        pairs = [(intake.source, thread) for intake in intakes for thread in intake.threads]
        new = [
            NewThread(
                thread,
                source,
                tuple(
                    self._new(thread, one.name, at, held=because if hold else "", confirm=confirm)
                    for one in picked
                ),
            )
            for source, thread in pairs
        ]
        return self._add(new, again=again, since=since)

    def adopt(self, intake: Intake, *, channel: str, parts: int, last: Sent) -> Receipt:
        """Take over a chain that was begun by hand: its first `parts` parts are out, the last as `last`.

        Raises InputError, UnknownChannelError, StoreError.
        """
        thread = adoptable(intake, parts)
        (picked,) = pick(self._context.channels, [channel])
        new = replace(
            self._new(thread, picked.name, self._context.clock(), held=""), adoption=Adoption(parts, last)
        )
        (receipt,) = self._add([NewThread(thread, intake.source, (new,))])
        return receipt

    def edit(self, thread_id: int, text: str) -> tuple[Delivery, ...]:
        """Replace the text of a thread that has not begun; one with warnings is held.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        thread = only_thread(understand("the new text", text.encode()))
        signed = self._context.signature()
        edited = self._database.threads.edit(thread_id, thread, **signed)
        if thread.warnings:
            edited = tuple(
                self._database.changes.apply(one.id, Event.HOLD, **signed)
                if one.state is DeliveryState.QUEUED
                else one
                for one in edited
            )
        self._context.wake()
        return edited

    def extend(self, thread_id: int, intake: Intake) -> tuple[Delivery, ...]:
        """Append parts to a thread: what is published goes on from its last post.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        thread = continued(self._database.reading.thread(thread_id).thread, intake)
        extended = self._database.threads.extend(thread_id, thread, **self._context.signature())
        self._context.wake()
        return extended

    def remove(self, thread_id: int) -> None:
        """Forget a thread of which nothing was sent. Raises NotFoundError, NotAllowedError."""
        self._database.threads.remove(thread_id, **self._context.signature())

    def _add(
        self, new: Sequence[NewThread], *, again: bool = False, since: datetime | None = None
    ) -> tuple[Receipt, ...]:
        signed = self._context.signature()
        added = self._database.threads.add(new, **signed, again=again, since=since)
        self._context.wake()
        return tuple(Receipt(one.source, one.thread, each) for one, each in zip(new, added, strict=True))

    def _new(
        self, thread: Thread, channel: str, at: datetime | None, *, held: str, confirm: bool = False
    ) -> NewDelivery:
        reason, code = held, Code.NONE
        if thread.warnings:
            more = len(thread.warnings) - 1
            reason = noticed(thread.warnings[0]) + (f" (and {more} more)" if more else "")
        elif not held and channel in self._context.holds:
            reason = "this channel holds every thread for approval"
        elif not held and confirm and at is None and not self._context.rhythms[channel].is_scheduled:
            reason, code = UNCONFIRMED, Code.UNCONFIRMED
        state = DeliveryState.HELD if reason else DeliveryState.QUEUED
        due = at or self._context.clock()
        return NewDelivery(channel, state, due, reason, own_time=at is not None, code=code)


def adoptable(intake: Intake, parts: int) -> Thread:
    """The thread of a text, of which the first `parts` parts can be out and others not. Raises InputError."""
    thread = only_thread(intake)
    if not 0 < parts < len(thread.parts):
        count = len(thread.parts)
        raise InputError(f"{intake.source} has {count} parts: of these 1 to {count - 1} can be out")
    if not (has_text(thread.parts[:parts]) and has_text(thread.parts[parts:])):
        raise InputError(
            f"{intake.source} has no text in its first {parts} parts, or none after them: "
            "give every part as it was posted, or will be"
        )
    return thread
