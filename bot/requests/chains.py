"""Chains that are out: taken down, compared with what the networks show, mended."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from threadcast.bot.channels.port import Channel
from threadcast.bot.publishing.takedown import Audit, Undo, Undoing, audit
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.context import Context, pick
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState, Event


class Chains:
    """Each request calls the networks, and raises UnknownChannelError where a channel is not configured."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._database = context.database
        self._changes = Changes(context)

    async def undo(
        self,
        thread_id: int,
        *,
        channels: Sequence[str] = (),
        see: Callable[[Undoing], None],
        pause: Callable[[datetime], Awaitable[None]],
    ) -> tuple[Undoing, ...]:
        """Take a thread's posts down, on the channels named or wherever its state allows.

        `see` is shown how it goes on, `pause` waits until a moment. Raises NotFoundError, NotAllowedError.
        """
        context = self._context
        withdrawn = self._changes.withdraw(thread_id, channels=channels)
        work = Undo(self._database, actor=context.actor, clock=context.clock, see=see, pause=pause)
        try:
            return tuple([await work.take_down(one, self._channel(one)) for one in withdrawn])
        finally:
            context.wake()  # whoever reports on the thread saw how it began, and is to see how it ended

    async def audit(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Audit, ...]:
        """Compare a thread's chains with what the networks show. Raises NotFoundError."""
        return tuple(
            [
                await audit(one, self._database.reading.posts(one.id), self._channel(one))
                for one in self._context.deliveries(thread_id, channels)
                if one.sent
            ]
        )

    async def mend(self, thread_id: int, *, channels: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Retry stopped chains behind the last post that the network still shows.

        For a chain that stopped because a post of it was deleted by hand. Raises NotFoundError, and
        NotAllowedError where none stopped, or the network does not show one.
        """
        for one in self._context.deliveries(thread_id, channels):
            if one.state is not DeliveryState.FAILED:
                continue
            found = await audit(one, self._database.reading.posts(one.id), self._channel(one))
            if found.problem:
                raise RefusedError(
                    Problem.NOT_SEEN, thread=thread_id, channel=one.channel, cause=found.problem
                )
            for each in found.differences:
                if each.kind == "missing" and each.position is not None:
                    self._database.changes.note_gone(
                        one.id, each.position, now=self._context.clock(), actor=self._context.actor
                    )
        return self._changes.apply(thread_id, Event.RETRY, channels=channels)

    def _channel(self, delivery: Delivery) -> Channel:
        (channel,) = pick(self._context.channels, [delivery.channel])
        return channel
