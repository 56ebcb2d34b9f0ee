"""What readers did with chains that are out: looked up now and then, kept, and how far along they got.

A network that tells figures tells favourites, boosts and replies, and never who has read. Whoever did one of
these to a post has come as far as that post: so at least so many readers got to it and to each one before it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Final

from threadcast.bot.channels.port import NOBODY, Readers
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

TELLING: Final = frozenset({"mastodon"})  # the networks that tell them; Telegram tells a bot none
PAGE: Final = "readers"  # of the notes, with the channel behind it; the line is the delivery
NEWEST: Final = 100  # chains that count over all


@dataclass(frozen=True, slots=True)
class Looked:
    """What was told of a chain at a moment, by the positions of its posts."""

    at: datetime
    posts: Mapping[int, Readers]

    @property
    def total(self) -> Readers:
        """Return the sums over all posts."""
        favourites, boosts, replies = map(sum, zip(*map(astuple, self.posts.values()), strict=True))
        return Readers(favourites, boosts, replies)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the curve: of the readers who got to the first post, what share got to this one at least."""

    position: int
    readers: int
    share: float


class ReaderFigures:
    """The figures of all chains. Blocks; raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._notes = database.notes
        self._reading = database.reading

    def note(self, one: Delivery, posts: Mapping[int, Readers], *, now: datetime) -> None:
        """Keep what was told of a chain now, in place of what was told before."""
        told = {position: astuple(each) for position, each in posts.items()}
        text = json.dumps({"at": now.isoformat(), "posts": told})
        self._notes.write(f"{PAGE}:{one.channel}", one.id, text, now=now)

    def of(self, deliveries: Sequence[Delivery]) -> dict[int, Looked]:
        """Return what is known of these, by their ids."""
        by_channel: dict[str, list[int]] = defaultdict(list)
        for one in deliveries:
            by_channel[one.channel].append(one.id)
        return {
            line: _looked(text)
            for channel, ids in by_channel.items()
            for line, text in self._notes.read(f"{PAGE}:{channel}", ids).items()
        }

    def newest(self, channel: str | None = None) -> dict[int, Looked]:
        """Return what is known of the chains that were published last, on one channel or all."""
        published = self._reading.deliveries(
            states=frozenset({DeliveryState.PUBLISHED}), channel=channel, newest_first=True, limit=NEWEST
        )
        return self.of(published)


def _looked(text: str) -> Looked:
    kept = json.loads(text)
    posts = {int(position): Readers(*told) for position, told in kept["posts"].items()}
    return Looked(datetime.fromisoformat(kept["at"]), posts)


def came(looked: Looked) -> tuple[int, ...]:
    """Return how many readers, at least, got to each post of a chain. Never rises along it."""
    last = max(looked.posts, default=0)
    # Of one that is gone nobody knows anything.
    did = [max(astuple(looked.posts.get(position, NOBODY))) for position in range(1, last + 1)]
    return tuple(reversed(list(accumulate(reversed(did), max))))


def curve(chains: Sequence[Looked]) -> tuple[Step, ...]:
    """Return how far the readers of these chains got, all of them put together.

    A post counts beside the first ones of those chains that are so long. Empty where nobody did anything.
    """
    every = [found for one in chains if (found := came(one)) and found[0]]
    steps = []
    for place in range(max(map(len, every), default=0)):
        long = [found for found in every if len(found) > place]
        readers, first = sum(found[place] for found in long), sum(found[0] for found in long)
        steps.append(Step(place + 1, readers, readers / first))
    return tuple(steps)


def leaves(steps: Sequence[Step]) -> Step | None:
    """Return the step behind which the largest share of readers leaves; None where none does."""
    lost = [(one.share - following.share, one) for one, following in pairwise(steps)]
    most, step = max(lost, key=lambda pair: pair[0], default=(0.0, None))
    return step if most > 0 else None
