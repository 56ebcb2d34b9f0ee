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
    "media": Budget(30, timedelta(minutes=30)),
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

    def left(self, name: str, whose: str, now: datetime) -> Left:
        budget = self._budgets[name]
        begins = budget.begins(now)
        used = self._used[name, whose, begins]
        return Left(budget.limit, max(0, budget.limit - used), begins + budget.window)

    def take(self, name: str, whose: str, now: datetime) -> bool:
        """Count one call. False where none was left, which counts nothing."""
        if not self.has_room(name, whose, now):
            return False
        if name in self._budgets:
            self._used[name, whose, self._budgets[name].begins(now)] += 1
        return True

    def has_room(self, name: str, whose: str, now: datetime) -> bool:
        """Return whether one more call is allowed; always where the server has no such limit."""
        return name not in self._budgets or self.left(name, whose, now).remaining > 0

    def __contains__(self, name: str) -> bool:
        return name in self._budgets

    def nearest(self, wanted: Iterable[tuple[str, str]], now: datetime) -> Left:
        """Return the one nearest to its end, which is the one that headers tell of."""
        return min((self.left(name, whose, now) for name, whose in wanted), key=lambda left: left.remaining)
