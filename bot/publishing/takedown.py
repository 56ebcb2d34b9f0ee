"""Taking a chain down, and comparing one with what the network shows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta

from threadcast.bot.channels.port import Channel, Clock, Difference, Expected
from threadcast.queue.model import Delivery, PostRecord
from threadcast.queue.outcomes import Absent, Blind, Obstacle, TakeDown, Throttled, Unreached
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import PostState
from threadcast.queue.store.database import Database

TRIES = 3  # of a network that cannot be reached
AGAIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Left:
    """A post that stays out, and why. `url` is where a person finds it, None where that is not known."""

    position: int
    url: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """How far a chain is taken down: `gone` of `out` posts. Until `until` the network asks to wait."""

    delivery: Delivery
    gone: int
    out: int
    left: tuple[Left, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What the network shows of a delivery's chain; `problem` says why it could not be looked at.

    `unseen` is the first post that visitors who are not logged in do not see, though it is there.
    """

    delivery: Delivery
    posts: int
    differences: tuple[Difference, ...]
    problem: str = ""
    unseen: Difference | None = None


@dataclass(eq=False)
class Undo:
    """Takes the posts of withdrawn deliveries down, the newest first.

    So nobody sees the end of a chain whose beginning is gone. `see` is told how it goes on; `pause` waits
    until a moment.
    """

    database: Database
    _: KW_ONLY
    actor: str
    clock: Clock
    see: Callable[[Undoing], None]
    pause: Callable[[datetime], Awaitable[None]]

    async def take_down(self, delivery: Delivery, channel: Channel) -> Undoing:
        """As far as the network lets us; what was taken down before is not asked for again."""
        posts = await asyncio.to_thread(self.database.reading.posts, delivery.id)
        out = [post for post in posts if post.state is PostState.SENT]
        gone = sum(post.taken_down is not None for post in out)
        left = [
            Left(post.position, post.url, Sentence("its id is not known here: it was posted by hand"))
            for post in out
            if post.remote_id is None
        ]
        seen = Undoing(delivery, gone, len(out), tuple(left))
        self.see(seen)
        for post in reversed(out):
            if post.remote_id is None or post.taken_down is not None:
                continue
            fault = await self._one(seen, post, channel)
            if fault is None:
                gone += 1
            else:
                left.append(Left(post.position, post.url, fault.reason))
            seen = Undoing(delivery, gone, len(out), tuple(left))
            self.see(seen)
            if isinstance(fault, Unreached):
                break
        return seen

    async def _one(self, seen: Undoing, post: PostRecord, channel: Channel) -> Obstacle | None:
        """Take one post down; why it stays, or None."""
        tries = 0
        while True:
            answer: TakeDown = Absent()
            for remote_id in (*reversed(post.album), post.remote_id or ""):
                answer = await channel.take_down(remote_id)
                if not isinstance(answer, Absent):
                    break
            match answer:
                case Absent():
                    note_gone, about = self.database.changes.note_gone, (seen.delivery.id, post.position)
                    await asyncio.to_thread(note_gone, *about, now=self.clock(), actor=self.actor)
                    return None
                case Throttled():
                    until = answer.until
                case Unreached() if tries + 1 < TRIES:
                    tries += 1
                    until = self.clock() + AGAIN
                case _:
                    return answer
            self.see(replace(seen, until=until))
            await self.pause(until)


async def audit(
    delivery: Delivery,
    posts: Sequence[PostRecord],
    channel: Channel,
    *,
    pause: Callable[[datetime], Awaitable[None]] | None = None,
) -> Audit:
    """Walk a chain on the network: what is missing, edited, out of order, or not ours.

    Where the network asks to wait, `pause` waits until then; None: it is not waited for.
    """
    chain = [
        Expected(
            post.position,
            post.remote_id,
            post.post.text,
            post.reply_to,
            post.post.media,
            post.album,
            post.uploads,
        )
        for post in posts
        if post.state is PostState.SENT and post.remote_id is not None and post.taken_down is None
    ]
    if not chain:
        return Audit(delivery, 0, (), Sentence("nothing of it is out"))
    while isinstance(found := await channel.audit(chain), Throttled) and pause is not None:
        await pause(found.until)
    if isinstance(found, Throttled | Unreached | Blind):
        return Audit(delivery, len(chain), (), found.reason)
    unseen = next((one for one in found if one.kind == "unseen"), None)
    return Audit(delivery, len(chain), tuple(one for one in found if one is not unseen), unseen=unseen)
