"""One delivery on its way: claim, plan, then for each post intend, send, decide, record.

The steps hold no rule of their own. The store decides who may work on what, `compose` what the posts
are, the channel's adapter what came of a call, `states.decide` what follows from it.

No transaction is open across a call, every write after the claim names its fence, and the intent is
on disk before the call begins: whatever dies in between, the next worker sees that a post may be out.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from functools import partial

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import (
    STANDING,
    Channel,
    Clock,
    Landmark,
    NotReadyError,
    Sought,
    Standing,
    always,
)
from threadcast.bot.publishing import calls
from threadcast.bot.publishing.corrections import Corrections
from threadcast.bot.publishing.lease import Stop, let_go, renewed
from threadcast.bot.publishing.progress import report
from threadcast.config.logs import get_logger
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.rules import CannotComposeError, Post
from threadcast.queue.errors import LeaseLostError, NotFoundError, StoreError
from threadcast.queue.model import Claim, Delivery, Intent, PostRecord, Timing, at_once
from threadcast.queue.outcomes import Code, Obstacle, Outcome, Refused, Throttled, Unknown
from threadcast.queue.states import Change, Event, PostState, decide, interrupted, request, settle
from threadcast.queue.store.database import Database

log = get_logger("threadcast.publisher")

# Longer than the longest call an adapter makes (60 s), so that a lease never ends while its holder works.
LEASE = timedelta(minutes=3)
# How long a chain waits in memory for its channel's pace: what Telegram's asks for at the most, in a group.
PATIENCE = timedelta(seconds=65)

Observer = Callable[[Delivery], None]


@dataclass(eq=False)
class Publisher:
    """Publishes one channel's deliveries, one post after the other.

    `gap` is how long a chain rests between two posts. `brake` says, before each post, until when the
    chain has to rest (quiet hours), or None. `pace` is how fast the channel may go. `observe` is told of
    a delivery each time something about it changed. `claiming` is shared by the publishers of a service:
    those that begin at once claim a few at a time, so that no chain waits for the last of them to be claimed.
    `holding` gives what tells from then on whether this service keeps what it claims (see `STANDING`).
    `chance` gives numbers from 0 to 1 for the jitter of retries; `new_key` makes a key never used before.
    """

    database: Database
    channel: Channel
    _: KW_ONLY
    worker: str
    clock: Clock
    stop: Stop
    gap: timedelta = timedelta(0)
    brake: Callable[[datetime], datetime | None] = lambda _: None
    pace: Pace = field(default_factory=Pace)
    observe: Observer = lambda _: None
    claiming: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    holding: Callable[[], Standing] = lambda: always
    chance: Callable[[], float] = random.random
    new_key: Callable[[], str] = lambda: secrets.token_hex(16)

    def __post_init__(self) -> None:
        self._remembered = self.pace.rate
        self._changed = asyncio.Event()
        self._dropped: Claim | None = None  # where the queue could not be used

    def look_again(self) -> None:
        """Before the next post, see whether the chain is halted: something changed in the queue."""
        self._changed.set()

    async def publish(self, timing: Timing = at_once) -> Delivery | datetime | None:
        """Take the channel's next due delivery as far as it goes now, or say when to look again.

        `timing` says when the next in turn may begin. Gives the delivery as it stands then: published,
        stopped, waiting for a later time, or, where the service is stopping or the channel is paused, let
        go of after a whole post. Raises StoreError where the queue cannot be used; the delivery can then be
        claimed again once the lease has ended.
        """
        STANDING.set(self.holding())
        await let_go(self.database, self._dropped, self.clock)
        self._dropped = None
        async with self.claiming:
            if self.stop.asked.is_set():  # while others were claimed
                return None
            now = self.clock()
            claim = await asyncio.to_thread(
                self.database.work.claim,
                self.channel.name,
                worker=self.worker,
                now=now,
                until=now + LEASE,
                timing=timing,
            )
        if not isinstance(claim, Claim):
            return claim
        self.observe(claim.delivery)
        if claim.delivery.code is Code.PERSON:
            self.look_again()
        try:
            async with renewed(self.database, claim, clock=self.clock, lease=LEASE):
                return await self._work(claim)
        except LeaseLostError:
            about = {"thread": claim.delivery.thread_id, "fence": claim.delivery.fence}
            log.warning("another worker took over", channel=self.channel.name, **about)
            return claim.delivery
        except StoreError:
            self._dropped = claim
            raise
        finally:
            rate = self.pace.rate
            if rate is not None and rate != self._remembered:
                self._remembered = rate
                with suppress(NotFoundError):
                    await asyncio.to_thread(self.database.changes.note_rate, self.channel.name, rate)

    async def _work(self, claim: Claim) -> Delivery:
        posts = await self._prepare(claim)
        if isinstance(posts, Delivery):
            return posts
        delivery = claim.delivery
        first: str | None = None
        parent: str | None = None
        intended: PostRecord | None = None
        for post in posts:
            if post.state is PostState.SENT:
                parent = post.remote_id if post.taken_down is None else parent
                first = parent if post.position == 1 else first
                continue
            following = posts[post.position] if post.position < len(posts) else None
            change = None
            if interrupted(post.state):
                change = await self._settle(claim, post, last=following is None)
                if change.event is Event.RESEND:
                    await self._record(claim, post, change)
                    change = None
            if change is None:
                if intended is None:
                    held = await self._hold(claim, left=len(posts) - post.position + 1)
                    if held is not None:
                        return held
                    intended = await self._intend(claim, post, _branch(self.channel, post, first) or parent)
                outcome = await self._send(claim, intended)
                change = self._decide(intended, outcome, last=following is None)
            branch = _branch(self.channel, following, first)
            delivery, intended = await self._record(claim, post, change, following, branch)
            if change.sent is None or delivery.lease_owner is None:
                break
            parent = change.sent.remote_id
            first = parent if post.position == 1 else first
        return delivery

    async def _prepare(self, claim: Claim) -> tuple[PostRecord, ...] | Delivery:
        """Give the posts, once the chain can go its whole way; the delivery where it cannot, or has gone it.

        What is out and says something else now is edited first.
        """
        if not self.database.is_file:
            await asyncio.to_thread(self.pace.catch_up, self.clock())
        corrections = Corrections(
            database=self.database,
            channel=self.channel,
            clock=self.clock,
            stop=self.stop,
            pace=self.pace,
            lease=LEASE,
            chance=self.chance,
            hold=lambda left: self._hold(claim, left=left),
        )
        try:
            claim, more = await corrections.point(claim)
        except NotReadyError as error:
            return await self._put_off(claim, error.outcome)
        held = await corrections.make(claim)
        if held is not None:
            self.observe(held)
            return held
        posts: tuple[PostRecord, ...] | Delivery = claim.posts
        if all(post.state is PostState.SENT for post in claim.posts):  # none yet, or the thread was continued
            posts = await self._plan(claim, more)
        if isinstance(posts, Delivery):
            return posts
        if any(post.tries for post in claim.posts):  # begun
            with suppress(NotReadyError):  # what is known of the server's limits depends on it
                await self.channel.rules()
        elif (delivery := await self._look_ahead(claim, posts)) is not None:
            return delivery
        note = partial(self.database.work.note_uploads, claim)
        ready = await calls.accept(self.channel, posts, note, self.stop, self.clock)
        return ready if isinstance(ready, tuple) else await self._put_off(claim, ready)

    async def _plan(self, claim: Claim, more: Sequence[Post]) -> tuple[PostRecord, ...] | Delivery:
        """Store what is still to be sent of the thread, and `more` behind it."""
        try:
            rules = await self.channel.rules(claim.thread.settings)
            # Off the loop: a long thread takes long enough to keep other channels waiting.
            composed = await asyncio.to_thread(
                compose, claim.thread, rules, max(_planned(claim), _adopted(claim))
            )
            posts = _to_plan(claim, composed, more)
        except NotReadyError as error:
            return await self._put_off(claim, error.outcome)
        except CannotComposeError as error:
            return await self._put_off(claim, Refused(str(error), Code.CONTENT))
        if not posts:  # all is out: some of it may have been corrected
            return (await self._record(claim, None, request(claim.delivery.state, Event.FINISH)))[0]
        return await asyncio.to_thread(self.database.work.plan, claim, posts, now=self.clock())

    async def _look_ahead(self, claim: Claim, posts: Sequence[PostRecord]) -> Delivery | None:
        """Before the first post: where the chain has to wait or cannot go at all, that is recorded."""
        fault = await calls.preflight(self.channel, self.stop, self.clock)
        if fault is None:
            now = self.clock()
            waiting = sum(post.state is PostState.PLANNED for post in posts)
            room = await asyncio.to_thread(self.pace.room, waiting, now)
            if room.at <= now:
                if room.reason:
                    log.info("a long chain begins", channel=self.channel.name, plan=room.reason)
                return None
            fault = Throttled(room.at, room.reason, Code.ROOM)
        return await self._put_off(claim, fault)

    async def _put_off(self, claim: Claim, outcome: Obstacle) -> Delivery:
        """Record what keeps the whole chain from going on, with its reason."""
        change = decide(
            outcome, last=False, tries=claim.delivery.fence, now=self.clock(), chance=self.chance()
        )
        return (await self._record(claim, None, change))[0]

    async def _hold(self, claim: Claim, *, left: int) -> Delivery | None:
        """Wait for the channel's pace; the delivery where `left` posts have to wait longer than in memory."""
        while True:
            now, looks = self.clock(), self._changed.is_set()
            self._changed.clear()
            if self.stop.asked.is_set():
                break
            if looks and await asyncio.to_thread(self.database.reading.halted, claim.delivery):
                break
            quiet = self.brake(now)
            if quiet is not None:
                return await self._put_off(claim, Throttled(quiet, calls.QUIET, Code.QUIET))
            ready = await asyncio.to_thread(self.pace.ready_at, now)  # it may count in the queue at first
            if ready - now > PATIENCE:
                room = await asyncio.to_thread(self.pace.room, left, now)
                return await self._put_off(claim, Throttled(ready, room.reason, Code.ROOM))
            if ready <= now:
                return None
            await self.stop.wait((ready - now).total_seconds(), self._changed)  # others go meanwhile
        now = self.clock()
        delivery = await asyncio.to_thread(self.database.work.let_go, claim, now=now, due=now)
        log.info("let go", channel=self.channel.name, thread=claim.delivery.thread_id, state=delivery.state)
        self.observe(delivery)
        return delivery

    async def _settle(self, claim: Claim, post: PostRecord, *, last: bool) -> Change:
        """Decide on a post that may be out: by what a look for it finds, if it is not too early to look."""
        if post.state is PostState.SENDING or post.doubted is None:
            gone = Unknown(calls.WENT_AWAY, code=Code.STOPPED)
            return self._decide(post, gone, last=last, began=post.intended)
        known = await asyncio.to_thread(self.database.reading.landmark, self.channel.name)
        landmark = Landmark(known.remote_id, known.post.text) if known and known.remote_id else None
        if landmark and known and known.album:  # its newest message is a picture without words
            landmark = Landmark(known.album[-1], "")
        sought = Sought.of(calls.outgoing(claim, post), since=post.doubted, landmark=landmark)
        return settle(
            await calls.look_up(self.channel, sought, self.stop),
            settling=self.channel.settling,
            since=post.doubted,
            misses=post.misses,
            last=last,
            now=self.clock(),
            chance=self.chance(),
            gap=self.gap,
        )

    async def _intend(self, claim: Claim, post: PostRecord, parent: str | None) -> PostRecord:
        now = self.clock()
        return await asyncio.to_thread(
            self.database.work.intend,
            claim,
            post.position,
            key=post.key or self.new_key(),
            reply_to=parent,
            now=now,
            until=now + LEASE,
        )

    async def _send(self, claim: Claim, post: PostRecord) -> Outcome:
        self.pace.begun(self.clock())
        outcome = await calls.send(self.channel, calls.outgoing(claim, post), self.stop)
        self.pace.ended(outcome, self.clock())
        return outcome

    def _decide(
        self, post: PostRecord, outcome: Outcome, *, last: bool, began: datetime | None = None
    ) -> Change:
        return decide(
            outcome,
            last=last,
            tries=post.tries,
            now=self.clock(),
            chance=self.chance(),
            gap=self.gap,
            settling=self.channel.settling,
            began=began,
        )

    async def _record(
        self,
        claim: Claim,
        post: PostRecord | None,
        change: Change,
        following: PostRecord | None = None,
        branch: str | None = None,
    ) -> tuple[Delivery, PostRecord | None]:
        """Write what follows; with it the intent of the `following` post, where that may go at once."""
        now = self.clock()
        position = post.position if post else None
        intent = None
        if following and change.sent and self._goes_on(change, now):
            intent = Intent(following.key or self.new_key(), now + LEASE, branch)
        try:
            delivery, intended = await asyncio.to_thread(
                self.database.work.record, claim, position, change, now=now, following=intent
            )
        except LeaseLostError:
            if change.sent is not None:  # nobody else knows it: a person can settle the post by this line
                log.error(  # noqa: TRY400  # no fault to trace
                    "sent, but another worker holds the delivery",
                    channel=self.channel.name,
                    thread=claim.delivery.thread_id,
                    post=position,
                    remote_id=change.sent.remote_id,
                )
            raise
        report(delivery, position, change)
        if delivery.code is Code.PERSON:
            self.look_again()
        self.observe(delivery)
        return delivery, intended

    def _goes_on(self, change: Change, now: datetime) -> bool:
        """Whether the next post may go at once."""
        if change.event is not Event.GO_ON or not change.keeps_lease:
            return False
        halts = self.stop.asked.is_set() or self._changed.is_set() or self.pace.asks
        if halts or self.brake(now) is not None:
            return False
        return self.pace.ready_at(now) <= now


def _planned(claim: Claim) -> int:
    """Give how many of the thread's parts have posts."""
    return max((record.post.part for record in claim.posts), default=0)


def _adopted(claim: Claim) -> int:
    """Give how many of them a person posted by hand."""
    return claim.delivery.adoption.parts if claim.delivery.adoption else 0


def _to_plan(claim: Claim, posts: Sequence[Post], more: Sequence[Post]) -> list[Post]:
    """Give those not planned yet, of a chain that is all out none, and `more` behind them.

    Raise CannotComposeError where the queue could not go on with them.
    """
    planned, adopted = _planned(claim), _adopted(claim)
    rest = [post for post in posts if post.part > planned]
    corrected = more or any(post.edit for post in claim.posts) or planned == len(claim.thread.parts)
    if not rest and corrected:
        return [*more]
    if all(post.part <= adopted for post in rest):
        raise CannotComposeError("What is left of the thread has no text to post: add some, or cancel it.")
    if not planned and adopted and rest[0].part > adopted:
        raise CannotComposeError(
            "The parts that are out have no text: cancel it, and adopt it anew with theirs."
        )
    return [*rest, *more]


def _branch(channel: Channel, post: PostRecord | None, first: str | None) -> str | None:
    """Give the id of a chain's first post, where this one replies to that again."""
    return first if post is not None and channel.reach.branch(post.position) else None
