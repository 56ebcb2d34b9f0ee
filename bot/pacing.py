"""How fast each account may go, and whether it has room for a whole chain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from threadcast.queue.states import Outcome


@dataclass(frozen=True, slots=True)
class Room:
    """When a chain may begin (`at`), and about when it will have ended.

    `reason` says to a person why it waits, or what its plan is; `windows` is how many of the account's
    windows it takes.
    """

    at: datetime
    ends: datetime
    reason: str = ""
    windows: int = 1


class Pace(Protocol):
    """The pace of one channel. Has no clock: every `now` is the caller's, in UTC."""

    def ready_at(self, now: datetime) -> datetime:
        """When the next post may go; not after `now`: at once."""
        ...

    def went(self, now: datetime) -> None:
        """A post is being sent."""
        ...

    def judged(self, outcome: Outcome, now: datetime) -> None:
        """What came of it."""
        ...

    @property
    def rate(self) -> float | None:
        """Posts a second, to be remembered over restarts; None where there is nothing to remember."""
        ...

    def room(self, posts: int, now: datetime) -> Room:
        """When a chain of so many posts may begin."""
        ...


class FreePace:
    """No limits."""

    def ready_at(self, now: datetime) -> datetime:
        return now

    def went(self, now: datetime) -> None:
        """Nothing to count."""

    def judged(self, outcome: Outcome, now: datetime) -> None:
        """Nothing to learn."""

    @property
    def rate(self) -> float | None:
        return None

    def room(self, posts: int, now: datetime) -> Room:  # noqa: ARG002  # as many as there are
        return Room(now, now)
