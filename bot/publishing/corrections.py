"""Posts that are out, edited where they stand: for each make its files ready, intend, edit, record."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Channel, Clock, NotReadyError
from threadcast.bot.publishing import calls
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.progress import report
from threadcast.queue.compose.rules import Post
from threadcast.queue.model import Claim, Delivery, PostRecord
from threadcast.queue.outcomes import Outcome, Sent
from threadcast.queue.states import PostState, decide_edit
from threadcast.queue.store.database import Database

# An edit that may have been made is made again: it comes to the same.
TO_DO = frozenset({PostState.PLANNED, PostState.SENDING, PostState.UNKNOWN})


@dataclass(frozen=True, eq=False)
class Corrections:
    """Edits the posts of a claimed chain that were changed after they went out.

    `hold` waits for the channel's pace, with so many posts left; it gives the delivery where the chain has
    to wait longer.
    """

    database: Database
    channel: Channel
    clock: Clock
    stop: Stop
    pace: Pace
    lease: timedelta
    chance: Callable[[], float]
    hold: Callable[[int], Awaitable[Delivery | None]]

    async def point(self, claim: Claim) -> tuple[Claim, tuple[Post, ...]]:
        """Have the last post of a whole chain say where else its thread is, if it is to, or no more.

        Return the claim with what is to be edited for that, and what is to be sent. Raises NotReadyError.
        """
        where, out = None, [post.post for post in claim.posts]
        if claim.posts and all(post.state is PostState.SENT for post in claim.posts):
            where = await asyncio.to_thread(self.database.reading.elsewhere, claim.delivery)
        if where is None or not where.is_due(out):
            return claim, ()
        edits, more = where.changes(out, await self.channel.rules(claim.thread.settings))
        posts = await asyncio.to_thread(self.database.work.correct, claim, edits)
        return replace(claim, posts=posts), more

    async def make(self, claim: Claim) -> Delivery | None:
        """Edit them, the first of the chain first; the delivery where it does not go on now."""
        waiting = [post for post in claim.posts if post.edit in TO_DO]
        if any(post.post.media for post in waiting):
            with suppress(NotReadyError):  # what is known of the files that the server takes depends on it
                await self.channel.rules()
        for index, post in enumerate(waiting):
            held = await self.hold(len(waiting) - index)
            if held is not None:
                return held
            delivery = await self._edit(claim, post)
            if delivery.lease_owner is None:
                return delivery
        return None

    async def _edit(self, claim: Claim, post: PostRecord) -> Delivery:
        work = self.database.work
        outcome: Outcome | PostRecord = await calls.accept_one(
            self.channel, post, partial(work.note_uploads, claim), self.stop, self.clock
        )
        if isinstance(outcome, PostRecord):
            outcome = await self._call(claim, outcome)
        now = self.clock()
        change = decide_edit(outcome, tries=claim.delivery.fence, now=now, chance=self.chance())
        named = outcome.uploads if isinstance(outcome, Sent) else ()
        record = partial(work.record_edit, claim, post.position, change, now=now, uploads=named)
        delivery = await asyncio.to_thread(record)
        report(delivery, post.position, change)
        return delivery

    async def _call(self, claim: Claim, post: PostRecord) -> Outcome:
        now = self.clock()
        intend = self.database.work.intend_edit
        await asyncio.to_thread(intend, claim, post.position, now=now, until=now + self.lease)
        self.pace.begun(self.clock())
        outcome = await calls.send(self.channel, calls.outgoing(claim, post), self.stop, post.remote_id)
        self.pace.ended(outcome, self.clock())
        return outcome
