"""What the channel contract suite needs to know of the server behind a channel.

Each adapter's test supplies one: it starts a server on loopback (or opens the local timeline), makes
channels on it, and reads back what a reader of the platform would see.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from threadcast.bot.channels.port import Channel
from threadcast.queue.compose import Numbering


@dataclass(frozen=True, slots=True)
class Seen:
    """One published post as the platform holds it."""

    remote_id: str
    text: str
    reply_to: str | None


class Harness(Protocol):
    """A platform with one empty destination."""

    limit: int  # what the platform's default rules allow
    idempotent: bool  # the same key again gives the same post again
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
