"""What the channel contract suite needs to know of the server behind a channel.

Each adapter's test supplies one: it starts a server on loopback (or opens the local timeline), makes
channels on it, and reads back what a reader of the platform would see.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pytest

from threadcast.bot.channels.port import Channel, Landmark, Outgoing, Sought
from threadcast.queue.compose.rules import Numbering
from threadcast.queue.outcomes import Look, Outcome, Sent

SURVIVORS = [
    pytest.param("lighthouse 🗼, family 👩‍👩‍👧‍👦, flag 🇸🇨, keycap 7️⃣, skin 👍🏽", id="emoji"),
    pytest.param("מגדלור is Hebrew, منارة is Arabic, 灯塔 is Chinese", id="right-to-left"),
    pytest.param("e\u0301 is two code points, é is one", id="combining-marks"),
    pytest.param("one line\nand the next\n  an indented one", id="line-breaks"),
    pytest.param("a paragraph\n\nanother\n\n\nand one after two blank lines", id="blank-lines"),
    pytest.param("two  blanks and   three — “quotes”, an unclosed «one", id="inner-blanks"),
    pytest.param("see https://example.org/a?b=c&d=%20e#f, and example.net", id="links"),
    pytest.param("7/ a marker as written ⬇️", id="marker"),
]


@dataclass(frozen=True, slots=True)
class Seen:
    """One published post as the platform holds it."""

    remote_id: str
    text: str
    reply_to: str | None
    media: tuple[tuple[str, str], ...] = ()  # kind and description of each file


class Harness(Protocol):
    """A platform with one empty destination."""

    limit: int  # what the platform's default rules allow
    idempotent: bool  # the same key again gives the same post again
    needs_landmark: bool  # it finds a first post only behind another that is known
    describes: bool  # it shows what is said of a file
    names_files: bool  # it calls a file by one name, wherever that is seen
    remote: bool  # there is a server that can be stopped, throttled, or lose an answer

    def channel(self, *, numbering: Numbering = Numbering.KEEP) -> Channel:
        """A channel on the destination."""
        ...

    def seen(self) -> list[Seen]:
        """Everything at the destination, oldest first."""
        ...

    def delete(self, remote_id: str) -> None:
        """Delete a post by hand, as an owner would."""
        ...

    def now(self) -> datetime:
        """The clock that the channel was given."""
        ...

    # Only where `remote` (elsewhere: an empty secret, and methods that raise):
    secret: str  # the token that the channel was given; no reason, finding or repr may tell it

    def stop(self) -> None:
        """Close the listening socket: connections are refused from here on."""
        ...

    def throttle(self, seconds: int) -> None:
        """The next send is answered 429, asking to wait this long."""
        ...

    def lose_answer(self) -> None:
        """The next send is stored, and its connection cut before the answer."""
        ...

    def fail(self, status: int) -> None:
        """The next send is answered with this status, and nothing is stored."""
        ...

    def revoke(self) -> None:
        """The token is no longer valid."""
        ...


async def post(channel: Channel, text: str, *, parent: str | None = None, key: str = "key-1") -> Outcome:
    return await channel.send(Outgoing(text=text, parent=parent, key=key))


async def posted(channel: Channel, text: str, *, parent: str | None = None, key: str = "key-1") -> Sent:
    outcome = await post(channel, text, parent=parent, key=key)
    assert isinstance(outcome, Sent), outcome
    return outcome


async def looked_up(
    channel: Channel,
    harness: Harness,
    text: str,
    *,
    parent: str | None = None,
    key: str = "key-1",
    landmark: Landmark | None = None,
) -> Look:
    """What comes of looking for a post that was first tried just now."""
    return await channel.look_up(Sought(text, parent, key, since=harness.now(), landmark=landmark))
