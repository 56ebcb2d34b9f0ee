"""One delivery on its way: claim -> plan -> intend -> send -> judge -> record, a named step each.

The steps hold no rule of their own. The store decides who may work on what, `compose` what the posts
are, the channel's adapter what came of a call, `states.decide` what follows from it.

No transaction is open across a call, every write after the claim names its fence, and the intent is
on disk before the call begins: whatever dies in between, the next worker sees that a post may be out.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from threadcast.bot.channels.pace import FreePace, Pace
from threadcast.bot.channels.port import Channel, Clock, NotReadyError, Outgoing
from threadcast.bot.publishing.gate import Gate, Intended
from threadcast.bot.publishing.hurry import HURRIED, HurriedError, Hurry
from threadcast.bot.publishing.lease import beating
from threadcast.bot.publishing.planning import to_plan
from threadcast.bot.publishing.progress import at, report
from threadcast.bot.publishing.promptly import almost_done
from threadcast.bot.publishing.settling import look_for
from threadcast.bot.publishing.stop import Stop
from threadcast.queue.compose.compose import CannotComposeError, compose
from threadcast.queue.model import ANY, Claim, Delivery, LeaseLostError, NotFoundError, Opening, PostRecord
from threadcast.queue.states import (
    Change,
    Event,
    Outcome,
    PostState,
    Refused,
    Sent,
    Throttled,
    Unknown,
    Unreached,
    decide,
    interrupted,
    settle,
)
from threadcast.queue.store.database import Database

log = structlog.get_logger("threadcast.publisher")

# Longer than the longest call an adapter makes (60 s), so that a lease never ends while its holder works.
LEASE = timedelta(minutes=3)
# How long a chain waits in memory for its channel's pace; for longer it lets go.
PATIENCE = timedelta(seconds=5)

Observer = Callable[[Delivery], None]


class Publisher:
    """Publishes one channel's deliveries, one post after the other.

    `gap` is how long a chain rests between two posts. `brake` says, before each post, until when the
    chain has to rest (quiet hours), or None. `pace` is how fast the channel may go. `observe` is told of
    a delivery each time something about it changed. `chance` gives numbers from 0 to 1 for the jitter of
    retries; `new_key` makes a key never used before.
    """

    def __init__(
        self,
        database: Database,
        channel: Channel,
        *,
        worker: str,
        clock: Clock,
        stop: Stop,
        gap: timedelta = timedelta(0),
        brake: Callable[[datetime], datetime | None] = lambda _: None,
        pace: Pace | None = None,
        observe: Observer = lambda _: None,
        chance: Callable[[], float] = random.random,
        new_key: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.channel = channel
        self._database = database
        self._worker = worker
        self._clock = clock
        self._stop = stop
        self._hurry = Hurry()
        self._gap = gap
        self._brake = brake
        self._pace = pace or FreePace()
        self._remembered = self._pace.rate
        self._look_up = False
        self._observe = observe
        self._chance = chance
        self._new_key = new_key

    def look_up(self) -> None:
        """Something changed in the queue: before the next post, see whether the channel is paused."""
        self._look_up = True

    async def publish(self, opening: Opening = ANY) -> Delivery | None:
        """Take the channel's next due delivery as far as it goes now; None where nothing is due.

        `opening` is what may begin. Gives the delivery as it stands then: published, stopped, waiting
        for a later time, or, where the service is stopping or the channel rests, let go of after a
        whole post. Raises StoreError where the queue cannot be used; the delivery can then be claimed
        again once the lease has ended.
        """
        claim = await self._claim(opening)
        if claim is None:
            return None
        try:
            async with (
                beating(self._database, claim, clock=self._clock, lease=LEASE),
                self._hurry.watching(self._stop.now),
            ):
                return await self._work(claim)
        except LeaseLostError:
            log.warning(
                "another worker took over",
                channel=self.channel.name,
                thread=claim.delivery.thread_id,
                fence=claim.delivery.fence,
            )
            return claim.delivery
        finally:
            await self._remember_rate()

    async def _work(self, claim: Claim) -> Delivery:
        posts = await self._prepare(claim)
        if isinstance(posts, Delivery):
            return posts
        delivery = claim.delivery
        parent: str | None = None
        ready: Intended | None = None
        rest = await self._rest()
        for post in posts:
            if post.state is PostState.SENT:
                parent = post.remote_id if post.taken_down is None else parent
                continue
            if ready is None and rest is None:
                rest = await self._turn()
            if rest is not None:
                return await self._let_go(claim, rest)
            last = post.position == len(posts)
            change = await self._step(claim, post, parent, last=last, ready=ready)
            going_on = change.event is Event.GO_ON and change.keeps_lease
            rest = await self._rest() if going_on else None
            if going_on and rest is None and self._pace.ready_at(self._clock()) <= self._clock():
                ready = await self._advance(claim, posts, post, change)
                continue
            delivery = await self._record(claim, post, change)
            if not change.keeps_lease:
                break
            ready = None
            if change.sent is not None:
                parent = change.sent.remote_id
        return delivery

    async def _prepare(self, claim: Claim) -> tuple[PostRecord, ...] | Delivery:
        """The posts, once the chain can go its whole way; the delivery where it has to wait, or cannot."""
        posts: tuple[PostRecord, ...] | Delivery = claim.posts
        if all(post.state is PostState.SENT for post in claim.posts):  # none yet, or the thread was continued
            posts = await self._plan(claim)
        if isinstance(posts, Delivery):
            return posts
        if any(post.tries for post in claim.posts):  # begun
            return posts
        return await self._look_ahead(claim, posts) or posts

    async def _step(
        self, claim: Claim, post: PostRecord, parent: str | None, *, last: bool, ready: Intended | None
    ) -> Change:
        """One post: settled where it may be out, else sent; what follows. `ready`: it has been intended."""
        if ready is None and interrupted(post.state):
            change = await self._settle(post, last=last)
            if change.event is not Event.RESEND:
                return change
            await self._record(claim, post, change)
        intended = ready or await self._intend(claim, post, parent)
        self._pace.went(self._clock())
        outcome = await self._send(intended)
        self._pace.judged(outcome, self._clock())
        return self._judge(intended.post, outcome, last=last)

    async def _rest(self) -> datetime | None:
        """Until when the chain has to rest before its next post; None: it need not."""
        now = self._clock()
        if self._stop.asked.is_set():
            return now
        if self._look_up:
            self._look_up = False
            if (await asyncio.to_thread(self._database.work.waiting, self.channel.name)).paused:
                return now
        return self._brake(now)

    async def _turn(self) -> datetime | None:
        """Wait for the pace of the channel; until when to rest where that is long, or None."""
        now = self._clock()
        at = await asyncio.to_thread(self._pace.ready_at, now)  # it may count in the queue, the first time
        if at <= now:
            return None
        if at - now > PATIENCE:
            return at
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.asked.wait(), (at - now).total_seconds())
        return self._clock() if self._stop.asked.is_set() else None

    async def _claim(self, opening: Opening) -> Claim | None:
        now = self._clock()
        claim = await asyncio.to_thread(
            self._database.work.claim,
            self.channel.name,
            worker=self._worker,
            now=now,
            until=now + LEASE,
            opening=opening,
        )
        if claim is not None:
            self._observe(claim.delivery)
        return claim

    async def _plan(self, claim: Claim) -> tuple[PostRecord, ...] | Delivery:
        try:
            rules = await self.channel.rules()
            # Off the loop: a long thread takes long enough to keep other channels waiting.
            posts = to_plan(claim, await asyncio.to_thread(compose, claim.thread, rules))
        except NotReadyError as error:
            return await self._put_off(claim, error.outcome)
        except CannotComposeError as error:
            return await self._put_off(claim, Refused(str(error)))
        return await asyncio.to_thread(self._database.work.plan, claim, posts, now=self._clock())

    async def _put_off(self, claim: Claim, outcome: Throttled | Unreached | Refused) -> Delivery:
        change = decide(
            outcome, last=False, tries=claim.delivery.fence, now=self._clock(), chance=self._chance()
        )
        return await self._record(claim, None, change)

    async def _look_ahead(self, claim: Claim, posts: Sequence[PostRecord]) -> Delivery | None:
        """Before the first post: where the chain has to wait or cannot go at all, that is recorded."""
        try:
            fault = await self._hurry.through(self.channel.preflight())
        except HurriedError:
            fault = Throttled(self._clock(), HURRIED)
        if fault is None:
            now = self._clock()
            waiting = sum(post.state is PostState.PLANNED for post in posts)
            room = await asyncio.to_thread(self._pace.room, waiting, now)
            if room.at <= now:
                if room.reason:
                    log.info("a long chain begins", channel=self.channel.name, plan=room.reason)
                return None
            fault = Throttled(room.at, room.reason)
        return await self._put_off(claim, fault)

    async def _settle(self, post: PostRecord, *, last: bool) -> Change:
        """What is known of a post that may be out: nothing yet, or what a look for it finds."""
        if post.state is PostState.SENDING or post.doubted is None:
            gone = Unknown("the service went away while this post was being sent")
            return self._judge(post, gone, last=last, began=post.intended)
        look = await look_for(post, self.channel, self._database, self._hurry)
        return settle(
            look,
            settling=self.channel.settling,
            since=post.doubted,
            misses=post.misses,
            last=last,
            now=self._clock(),
            chance=self._chance(),
            gap=self._gap,
        )

    async def _intend(self, claim: Claim, post: PostRecord, parent: str | None) -> Intended:
        now = self._clock()
        intended = await asyncio.to_thread(
            self._database.work.intend,
            claim,
            post.position,
            key=post.key or self._new_key(),
            reply_to=parent,
            now=now,
            until=now + LEASE,
        )
        return Intended(intended, Gate())

    async def _send(self, intended: Intended) -> Outcome:
        """The call. Ends early where the service cannot wait any longer. What passed no gate is not out.

        Raises what the commit of the intent raised: then nothing was sent.
        """
        outcome = await self._call(intended.post, intended.gate)
        await intended.gate.settled()
        if isinstance(outcome, Unknown) and intended.gate.shut():
            return Unreached(outcome.reason)
        return outcome

    async def _call(self, post: PostRecord, gate: Gate) -> Outcome:
        assert post.key is not None  # noqa: S101  # the intent has just set it
        outgoing = Outgoing(text=post.post.text, parent=post.reply_to, key=post.key, gate=gate)
        try:
            return await self._hurry.through(self.channel.send(outgoing))
        except HurriedError:
            return Throttled(self._clock(), HURRIED) if gate.shut() else Unknown(HURRIED)
        except Exception as error:
            # An adapter's fault, not the network's: what the call did before it broke is not known.
            log.exception("the channel's adapter failed", channel=self.channel.name)
            return Unknown(f"the adapter failed ({type(error).__name__})")

    def _judge(
        self, post: PostRecord, outcome: Outcome, *, last: bool, began: datetime | None = None
    ) -> Change:
        return decide(
            outcome,
            last=last,
            tries=post.tries,
            now=self._clock(),
            chance=self._chance(),
            gap=self._gap,
            settling=self.channel.settling,
            began=began,
        )

    async def _record(self, claim: Claim, post: PostRecord | None, change: Change) -> Delivery:
        position = post.position if post else None
        with self._known_to_nobody_else(claim, position, change.sent):
            delivery = await asyncio.to_thread(
                self._database.work.record, claim, position, change, now=self._clock()
            )
        report(delivery, position, change)
        self._observe(delivery)
        return delivery

    @contextmanager
    def _known_to_nobody_else(self, claim: Claim, position: int | None, sent: Sent | None) -> Iterator[None]:
        """Where the lease is lost while `sent` is recorded: say it, so that a person can settle the post."""
        try:
            yield
        except LeaseLostError:
            if sent is not None:
                log.error(  # noqa: TRY400  # no fault to trace
                    "sent, but another worker holds the delivery",
                    channel=self.channel.name,
                    thread=claim.delivery.thread_id,
                    post=position,
                    remote_id=sent.remote_id,
                )
            raise

    async def _advance(
        self, claim: Claim, posts: Sequence[PostRecord], post: PostRecord, change: Change
    ) -> Intended:
        """Record a post that is out and intend the next; gives that one, whose gate waits for the disk."""
        sent = change.sent
        assert sent is not None  # noqa: S101  # what the caller looked at
        now = self._clock()
        following = posts[post.position]  # positions count from 1
        key = following.key or self._new_key()
        with self._known_to_nobody_else(claim, post.position, sent):
            commit = await almost_done(
                lambda almost: self._database.work.advance(
                    claim, post.position, sent, key=key, now=now, until=now + LEASE, almost=almost
                )
            )
        delivery = replace(claim.delivery, posts=len(posts), sent=post.position)
        report(delivery, post.position, change)
        self._observe(delivery)
        upcoming = replace(
            following,
            state=PostState.SENDING,
            tries=following.tries + 1,
            key=key,
            reply_to=sent.remote_id,
            intended=now,
        )
        return Intended(upcoming, Gate(commit))

    async def _remember_rate(self) -> None:
        rate = self._pace.rate
        if rate is None or rate == self._remembered:
            return
        with suppress(NotFoundError):
            await asyncio.to_thread(self._database.changes.note_rate, self.channel.name, rate)
        self._remembered = rate

    async def _let_go(self, claim: Claim, due: datetime) -> Delivery:
        await asyncio.to_thread(self._database.work.let_go, claim, now=self._clock(), due=due)
        log.info("let go", channel=self.channel.name, thread=claim.delivery.thread_id, until=at(due))
        delivery = await asyncio.to_thread(self._database.reading.delivery, claim.delivery.id)
        self._observe(delivery)
        return delivery
