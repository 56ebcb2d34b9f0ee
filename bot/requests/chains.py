"""Chains that are out: taken down, compared with what the networks show, mended."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from threadcast.bot.channels.port import Channel, NotReadyError
from threadcast.bot.plain import quoted
from threadcast.bot.publishing.takedown import Audit, Undo, Undoing, audit
from threadcast.bot.requests.changes import Changed, Changes
from threadcast.bot.requests.context import RequestContext, pick
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.requests.input import Intake
from threadcast.bot.requests.threads import Receipt, Threads, adoptable
from threadcast.queue.compose.compose import CannotComposeError, compose
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.text.thread import written

Pause = Callable[[datetime], Awaitable[None]]


class Chains:
    """Each request calls the networks, and raises UnknownChannelError where a channel is not configured."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database
        self._changes = Changes(context)

    async def undo(
        self,
        thread_id: int,
        *,
        channels: Sequence[str] = (),
        see: Callable[[Undoing], None],
        pause: Pause,
        refuse: Callable[[RefusedError], None] = lambda _: None,
    ) -> tuple[Undoing, ...]:
        """Take a thread's posts down, on the channels named or wherever its state allows.

        `see` is shown how it goes on, `refuse` why a channel does not allow it; `pause` waits until a moment.
        Raises NotFoundError, NotAllowedError.
        """
        context = self._context
        withdrawn = self._changes.withdraw(thread_id, channels=channels)
        for one in withdrawn.refused:
            refuse(one)
        work = Undo(self._database, actor=context.actor, clock=context.clock, see=see, pause=pause)
        try:
            return tuple([await work.take_down(one, self._channel(one)) for one in withdrawn])
        finally:
            context.wake()  # whoever reports on the thread saw how it began, and is to see how it ended

    async def audit(
        self, thread_id: int, *, channels: Sequence[str] = (), pause: Pause | None = None
    ) -> tuple[Audit, ...]:
        """Compare a thread's chains with what the networks show; `pause` waits until a moment.

        Raises NotFoundError.
        """
        return tuple(
            [
                await audit(one, self._database.reading.posts(one.id), self._channel(one), pause=pause)
                for one in self._context.deliveries(thread_id, channels)
                if one.sent
            ]
        )

    async def settle(
        self, thread_id: int, address: str | None, *, channels: Sequence[str] = (), force: bool = False
    ) -> Delivery:
        """Note that a thread's doubtful post is out at an address, or not (None); or correct that.

        What a person names is looked at first. Raises NotFoundError, and NotAllowedError where it is no post
        of this channel, or (unless with `force`) may be another one.
        """
        one, post = self._changes.doubted(thread_id, channels=channels)
        sent = None
        if address is not None:
            sent = await self._named(self._channel(one), address, [post.post.text], force=force)
        return self._changes.settle(thread_id, sent, channels=[one.channel])

    async def adopt(
        self,
        intake: Intake,
        *,
        channel: str,
        parts: int,
        address: str,
        force: bool = False,
        confirm: bool = False,
    ) -> Receipt:
        """Take over a chain begun by hand: its first `parts` parts are out, the last at `address`.

        What a person names is looked at first. `confirm` is as for `add`. Raises InputError, StoreError, and
        NotAllowedError as `settle` does.
        """
        thread = adoptable(intake, parts)
        (picked,) = pick(self._context.channels, [channel])
        part = thread.parts[parts - 1]
        texts = [part.text, written(part, thread.placement)]
        with suppress(NotReadyError, CannotComposeError):
            posts = compose(thread, await picked.rules(thread.settings), parts)
            texts += [post.text for post in posts if post.part == parts][-1:]
        last = await self._named(picked, address, texts, force=force)
        return Threads(self._context).adopt(intake, channel=channel, parts=parts, last=last, confirm=confirm)

    async def _named(self, channel: Channel, address: str, texts: Sequence[str], *, force: bool) -> Sent:
        found = await channel.find(address, texts)
        if found.sent is None:
            raise RefusedError(
                Problem.NOT_A_POST, channel=channel.name, names=[quoted(address)], cause=found.doubt
            )
        if found.doubt and not force:
            names = [quoted(address), found.sent.remote_id]
            raise RefusedError(Problem.NOT_THE_POST, channel=channel.name, names=names, cause=found.doubt)
        return found.sent

    async def mend(self, thread_id: int, *, channels: Sequence[str] = ()) -> Changed:
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
                    signed = self._context.signature()
                    self._database.changes.note_gone(one.id, each.position, **signed)
        return self._changes.apply(thread_id, Event.RETRY, channels=channels)

    def _channel(self, delivery: Delivery) -> Channel:
        (channel,) = pick(self._context.channels, [delivery.channel])
        return channel
