"""What every request is made with."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from threadcast.bot.channels.budget import Prospect
from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.media.attach import Attacher
from threadcast.bot.plain import plain
from threadcast.bot.publishing.forecast import NOTHING_KNOWN, Rhythm
from threadcast.bot.requests.errors import Problem, UnknownChannelError, UnknownThreadError
from threadcast.bot.wording import listed
from threadcast.queue.model import Delivery
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import BEGINNINGS
from threadcast.queue.store.database import Database
from threadcast.queue.text.thread import Part

UTC = ZoneInfo("UTC")

Pause = Callable[[datetime], Awaitable[None]]


class Signature(TypedDict):
    """When something is changed, and by whom, as every change of the queue asks for it."""

    now: datetime
    actor: str


@dataclass(frozen=True)
class RequestContext:
    """The queue, its channels, and who asks.

    `holds` are the channels on which every thread waits for approval, `describes` those where every file
    needs a description. `actor` is who asks, for the audit log. `wake` makes a running service look at
    these channels; False where none runs. `attacher` keeps the files of threads. `prospects` give for each
    channel how fast it goes at a moment, and how much is left to it. `zone` is where times of the day are
    meant.
    """

    database: Database
    channels: Sequence[Channel]
    holds: frozenset[str]
    rhythms: Mapping[str, Rhythm]
    clock: Clock
    actor: str
    wake: Callable[[Collection[str]], bool]
    attacher: Attacher
    prospects: Callable[[datetime], Mapping[str, Prospect]] = lambda _: NOTHING_KNOWN
    zone: ZoneInfo = UTC
    describes: frozenset[str] = frozenset()

    def signature(self) -> Signature:
        """Return what a change made now is signed with."""
        return {"now": self.clock(), "actor": self.actor}

    def undescribed(self, parts: Sequence[Part], channels: Collection[str]) -> str:
        """Return what these channels miss where a file has no description, in words; "" for nothing."""
        from threadcast.queue.text.notices import undescribed  # noqa: PLC0415  # where a thread is read already

        wanting, missing = self.describes.intersection(channels), undescribed(parts)
        if not wanting or not missing:
            return ""
        return Sentence(
            "{file} has no description; on {channels} it is required",
            file=plain(missing[0][2].name),
            channels=listed(sorted(wanting)),
        )

    def may_wait_for_slot(self, one: Delivery) -> bool:
        """Whether it has not begun, and its channel has a schedule: what is half out waits for no slot."""
        rhythm = self.rhythms.get(one.channel)
        return rhythm is not None and rhythm.is_scheduled and one.state in BEGINNINGS and not one.sent

    def deliveries(self, thread_id: int, names: Sequence[str] = ()) -> tuple[Delivery, ...]:
        """Return a thread's deliveries, on the channels named or on all. Raises NotFoundError."""
        self.database.reading.thread(thread_id)
        wanted = {name.lower() for name in names}
        found = self.database.reading.deliveries(thread_id=thread_id)
        mine = tuple(one for one in found if not wanted or one.channel in wanted)
        if not mine:
            raise UnknownThreadError(Problem.NEVER_MEANT, thread=thread_id, names=sorted(wanted))
        return mine


def pick(channels: Sequence[Channel], names: Sequence[str]) -> tuple[Channel, ...]:
    """Return the channels of these names, each once; all of them where no name is given.

    Raises UnknownChannelError.
    """
    by_name = {channel.name: channel for channel in channels}
    for name in names:
        if name.lower() not in by_name:
            raise UnknownChannelError(Problem.UNKNOWN_CHANNEL, channel=name, names=tuple(by_name))
    wanted = dict.fromkeys(name.lower() for name in names) or by_name
    return tuple(by_name[name] for name in wanted)


def waiting(clock: Clock) -> Pause:
    """Return what waits until a moment, for a network that asks to."""

    async def pause(until: datetime) -> None:
        await asyncio.sleep(max(0.0, (until - clock()).total_seconds()))

    return pause


def seen_of(channel: Channel, posts: int) -> int | None:
    """Return how many posts of a chain visitors see who are not logged in; None: all of them."""
    seen = channel.reach.seen(posts)
    return seen if seen < posts else None
