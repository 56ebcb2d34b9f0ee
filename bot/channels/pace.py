"""How fast each channel may go. Nothing here sleeps, asks a network or has a clock: times are given (UTC).

One worker at a time uses a pace, in this order: `room` before a chain, then for each post `ready_at`
until that is not later than now, `begun`, and `ended`.
"""

from datetime import datetime

from threadcast.bot.channels.budget import Prospect, Room
from threadcast.queue.outcomes import Outcome


class Pace:
    """How fast one channel may go. This one has no limits: the local timeline's."""

    asks = False  # whether `ready_at` asks the queue each time: it is not to be called on the event loop

    @property
    def rate(self) -> float | None:
        """What to remember across restarts: posts a second; None where nothing was learned."""
        return None

    def catch_up(self, now: datetime) -> None:
        """Another machine may have posted here meanwhile. May ask the queue: not on the event loop."""

    def ready_at(self, now: datetime) -> datetime:
        """When the next post may go, if nothing happens until then; not later than `now`: at once."""
        return now

    def begun(self, now: datetime) -> None:
        """A send is begun now."""

    def ended(self, outcome: Outcome, now: datetime) -> None:
        """What came of the send that was begun last."""

    def room(self, posts: int, now: datetime) -> Room:
        """Before a chain of so many posts (so many that are left of it): when it may begin.

        May ask the queue: not to be called on the event loop.
        """
        return self.prospect(now).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:  # noqa: ARG002  # the same at all times
        """What the chains of the queue can count on, for a forecast."""
        return Prospect()
