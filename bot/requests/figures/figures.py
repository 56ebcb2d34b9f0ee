"""What whoever watches over the service asks: how much waits, what is left of budgets, what stands still."""

from collections import Counter
from collections.abc import Mapping, Sequence

from threadcast.bot.channels.budget import Prospect
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.figures.stuck import stuck
from threadcast.queue.model import Backlog
from threadcast.queue.states import LIVE, DeliveryState

GONE = "(gone)"  # all channels that are not configured any more, under a name that none can have

Backlogs = Mapping[tuple[str, DeliveryState], int]


class Figures:
    """Each answers from the queue as it is now, with no text in it. Raises StoreError."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    def look(self) -> tuple[dict[str, str], Backlogs]:
        """Return what is stuck, and the backlog, of one look: it walks all that waits."""
        backlog = self._database.figures.backlog()
        return self._stuck(backlog), self._counted(backlog)

    def stuck(self) -> dict[str, str]:
        """Return the channels that do not go on though they should, each with why."""
        return self._stuck(self._database.figures.backlog())

    def backlog(self) -> Backlogs:
        """Return how many deliveries stand where: each configured channel with each state of what is live."""
        return self._counted(self._database.figures.backlog())

    def _stuck(self, backlog: Sequence[Backlog]) -> dict[str, str]:
        return stuck(
            backlog,
            self._database.reading.deliveries(states=frozenset({DeliveryState.PUBLISHING})),
            {row.name: row for row in self._database.reading.channels()},
            self._context.rhythms,
            self._context.clock(),
        )

    def _counted(self, backlog: Sequence[Backlog]) -> Backlogs:
        names = [channel.name for channel in self._context.channels]
        found = Counter({(name, state): 0 for name in (*names, GONE) for state in sorted(LIVE)})
        for one in backlog:
            found[one.channel if one.channel in names else GONE, one.state] += one.count
        return found

    def prospects(self) -> Mapping[str, Prospect]:
        """Return what is left of each channel's budgets."""
        return self._context.prospects(self._context.clock())
