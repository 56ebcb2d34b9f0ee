"""How fast a Mastodon account may post. Nothing here sleeps or asks a network: times are given (UTC).

https://docs.joinmastodon.org/api/rate-limits/
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from threadcast.bot.channels.budget import Prospect, Room, Window
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Quota
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unreached
from threadcast.queue.sentences import Sentence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = 300  # an account's, in STATUSES_WINDOW
STATUSES_WINDOW = timedelta(hours=3)
REQUESTS = 300  # a token's, in REQUESTS_WINDOW
REQUESTS_WINDOW = timedelta(minutes=5)
LONGEST_OTHER = timedelta(minutes=33)  # other limits end sooner: after 30 min, and a clock that is off
OFF = timedelta(minutes=2.5)  # by which it may be off: all limits end at multiples of five minutes
FILES = 30  # an account's uploads, in FILES_WINDOW
FILES_WINDOW = timedelta(minutes=30)
REQUEST_GIVER = Sentence("the server takes")


class Metered(Protocol):
    """What a server says of its limits, as a channel's port has it."""

    @property
    def quota(self) -> Quota | None: ...
    @property
    def limits_posts(self) -> bool | None: ...


class MastodonPace(Pace):
    """An account's pace: as fast as the server's headers allow, so that it never has to say 429.

    `server` says what the last answer left, and whether it is known to limit posts; None in a forecast
    without one. `sent_since` counts the posts of ours that went out on the account at a moment or later; it
    is asked before each chain, and once where the first post goes on with one. `files_since` counts their
    files, for a forecast alone: before a chain begins the server has the last word. `statuses` and `requests`
    are what an account and a token may do in a window, as long as the server says nothing else; windows begin
    at multiples of their length since 1970. Our own count holds nothing back on a server that is not known
    to have the limit, or whose answers tell of none.
    """

    def __init__(
        self,
        server: Metered | None,
        sent_since: Callable[[datetime], int],
        files_since: Callable[[datetime], int] = lambda _: 0,
        *,
        statuses: int = STATUSES,
        requests: int = REQUESTS,
    ) -> None:
        self._server = server
        self._sent_since, self._files_since = sent_since, files_since
        self._statuses = _Tally(statuses, STATUSES_WINDOW)
        self._requests = _Tally(requests, REQUESTS_WINDOW)
        self._posts_left: tuple[Quota, int] | None = None  # of statuses, with how many of ours were out then
        self._unanswered = 0  # sends since the last answer
        self._counted = False
        self._metered = False  # an answer told of a limit
        self._unlimited = False  # the last one told of none

    def ready_at(self, now: datetime) -> datetime:
        return max([now, *(window.ends for window in self._windows(now) if window.left <= 0)])

    def begun(self, now: datetime) -> None:
        self._windows(now)
        self._statuses.count += 1
        self._requests.count += 1
        self._unanswered += 1

    def ended(self, outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Sent():
                self._unanswered = 0
                self._unlimited = self._quota() is None
            case Throttled() | Refused():
                self._unanswered = 0
                self._statuses.give_back()
            case Unreached():
                self._unanswered = max(0, self._unanswered - 1)
                self._statuses.give_back()
                self._requests.give_back()
            case _:  # it may have arrived
                pass
        self._listen(now)

    def catch_up(self, now: datetime) -> None:  # noqa: ARG002  # they are counted when they are asked for
        self._counted = False

    def room(self, posts: int, now: datetime) -> Room:
        self._counted = False
        return Prospect(windows=self._windows(now)).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:
        """Return what the next chains can count on; a server that was not asked yet is taken for Mastodon."""
        files = None
        if self._is_limited(otherwise=True):
            taken = _Tally(FILES, FILES_WINDOW)
            taken.turn(now)
            taken.count = min(FILES, self._files_since(taken.begins))
            files = taken.window()
        return Prospect(windows=self._windows(now, otherwise=True), files=files)

    def _quota(self) -> Quota | None:
        return self._server.quota if self._server else None

    def _is_limited(self, *, otherwise: bool = False) -> bool:
        known = self._server.limits_posts if self._server else None
        return (otherwise if known is None else known) and not self._unlimited

    def _windows(self, now: datetime, *, otherwise: bool = False) -> tuple[Window, ...]:
        """Return the windows in force; `otherwise`: whether those of an unknown server are Mastodon's."""
        for tally in (self._statuses, self._requests):
            tally.turn(now)
        if not self._counted:
            self._statuses.count = max(self._statuses.count, self._sent_since(self._statuses.begins))
            self._counted = True
        self._listen(now)
        limited = self._is_limited(otherwise=otherwise)
        windows = [self._of_statuses(now)] if limited or self._posts_left is not None else []
        return (*windows, self._of_requests(now)) if limited or self._metered else tuple(windows)

    def _listen(self, now: datetime) -> None:
        """Note what an answer told of statuses: the next one may tell of another limit."""
        quota = self._quota()
        if quota is None or quota.reset <= now or self._is_noted(quota):
            return
        self._metered = True
        self._statuses.turn(now)
        surely = quota.reset > now + LONGEST_OTHER
        if surely:
            self._statuses.whole = max(1, quota.limit)
        window = self._of_statuses(now)
        # Towards the end of the window it may be another limit's, and then says nothing where it is higher.
        near = abs(quota.reset - window.ends) < OFF and quota.remaining <= window.left
        if surely or (near and self._is_limited()):
            self._posts_left = quota, self._statuses.count

    def _is_noted(self, quota: Quota) -> bool:
        return self._posts_left is not None and self._posts_left[0] == quota

    def _of_statuses(self, now: datetime) -> Window:
        own = self._statuses.window()
        if self._posts_left is None or self._posts_left[0].reset <= now:
            return own
        quota, then = self._posts_left
        since = max(0, self._statuses.count - then)
        # Others post on the account too; and by our clock, its window may end a little earlier or later.
        return replace(own, left=min(own.left, quota.remaining - since), ends=quota.reset)

    def _of_requests(self, now: datetime) -> Window:
        quota = self._quota()
        if quota is None or quota.reset <= now or self._is_noted(quota):
            window = self._requests.window()
        else:
            left = quota.remaining - self._unanswered
            window = Window(max(1, quota.limit), left, quota.reset, REQUESTS_WINDOW)
        # Asking for the account and looking for posts are requests too.
        return replace(window, giver=REQUEST_GIVER, spare=max(1, window.whole // 10))


@dataclass
class _Tally:
    """What is known to count in the window at hand."""

    whole: int
    length: timedelta
    begins: datetime = EPOCH
    count: int = 0

    def turn(self, now: datetime) -> None:
        begins = now - (now - EPOCH) % self.length
        if begins != self.begins:
            self.begins, self.count = begins, 0

    def give_back(self) -> None:
        """One that counted did not."""
        self.count = max(0, self.count - 1)

    def window(self) -> Window:
        return Window(self.whole, self.whole - self.count, self.begins + self.length, self.length)
