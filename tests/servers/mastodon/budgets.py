"""Rate limits as Mastodon keeps them: fixed windows, aligned to the epoch.

https://docs.joinmastodon.org/api/rate-limits/
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Budget:
    """So many calls in each window of that length."""

    limit: int
    window: timedelta

    def begins(self, now: datetime) -> datetime:
        seconds = int(self.window.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


REAL_BUDGETS: Mapping[str, Budget] = {
    "token": Budget(300, timedelta(minutes=5)),
    "account": Budget(1500, timedelta(minutes=5)),
    "statuses": Budget(300, timedelta(hours=3)),  # created and edited
    "deletes": Budget(30, timedelta(minutes=30)),
    "pages": Budget(300, timedelta(minutes=15)),  # GETs with since_id, min_id or max_id
}


@dataclass(frozen=True, slots=True)
class Left:
    """How much of one budget is left, and when it is whole again."""

    limit: int
    remaining: int
    reset: datetime


class Budgets:
    """Counts calls by budget and by whom they count for."""

    def __init__(self, budgets: Mapping[str, Budget]) -> None:
        self._budgets = budgets
        self._used: Counter[tuple[str, str, datetime]] = Counter()

    def left(self, name: str, whose: str, now: datetime) -> Left | None:
        """Return how much of a budget is left; None where the server has no such limit."""
        budget = self._budgets.get(name)
        if budget is None:
            return None
        begins = budget.begins(now)
        used = self._used[name, whose, begins]
        return Left(budget.limit, max(0, budget.limit - used), begins + budget.window)

    def take(self, name: str, whose: str, now: datetime) -> bool:
        """Count one call. False where none was left, which counts nothing."""
        left = self.left(name, whose, now)
        if left is None:
            return True
        if not left.remaining:
            return False
        self._used[name, whose, self._budgets[name].begins(now)] += 1
        return True

    def nearest(self, wanted: Iterable[tuple[str, str]], now: datetime) -> Left | None:
        """Return the one nearest to its end, which is the one that headers tell of."""
        lefts = [left for name, whose in wanted if (left := self.left(name, whose, now)) is not None]
        return min(lefts, key=lambda left: left.remaining, default=None)
