"""How fast each channel may go. Nothing here sleeps, asks a network or has a clock: times are given (UTC).

One worker at a time uses a pace, in this order: `room` before a chain, then for each post `ready_at`
until that is not later than now, `went`, and `judged`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

from threadcast.bot.channels.budget import Prospect, Room, Window
from threadcast.bot.channels.port import Quota
from threadcast.queue.states import Outcome, Refused, Sent, Throttled, Unreached

__all__ = ["BotPace", "FreePace", "MastodonPace", "Pace", "Room", "TelegramPace"]


class Pace(Protocol):
    """How fast one channel may go."""

    def ready_at(self, now: datetime) -> datetime:
        """When the next post may go, if nothing happens until then; not later than `now`: at once."""
        ...

    def went(self, now: datetime) -> None:
        """A send is begun now."""
        ...

    def judged(self, outcome: Outcome, now: datetime) -> None:
        """What came of the send that was begun last."""
        ...

    @property
    def rate(self) -> float | None:
        """What to remember across restarts: posts a second; None where nothing was learned."""
        ...

    def room(self, posts: int, now: datetime) -> Room:
        """Before a chain of so many posts (so many that are left of it): when it may begin.

        May ask the queue: not to be called on the event loop.
        """
        ...

    def prospect(self, now: datetime) -> Prospect:
        """What the chains of the queue can count on, for a forecast."""
        ...


class FreePace:
    """No limits: the local timeline."""

    @property
    def rate(self) -> float | None:
        return None

    def ready_at(self, now: datetime) -> datetime:
        return now

    def went(self, now: datetime) -> None:
        pass

    def judged(self, outcome: Outcome, now: datetime) -> None:
        pass

    def room(self, posts: int, now: datetime) -> Room:
        return self.prospect(now).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:  # noqa: ARG002  # the same at all times
        return Prospect()


# Telegram: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this

PER_BOT = 30.0  # messages a second over all chats of a bot
BURST = 3  # messages that a chat takes at once after a rest
IN_A_GROUP = 20  # messages in GROUP_SPAN
GROUP_SPAN = timedelta(seconds=61)  # a minute, and what the way may take
FALL = 0.5  # what is left of a chat's rate after a 429
CLIMB = 1 / 50  # what a post that went out wins back, of the rate at the most
LEAST = 1 / 32  # what is left after any number of 429s, of the rate at the most
KEPT = timedelta(seconds=1)  # how long a slot is kept for a chat that does not use it


class Slots(Protocol):
    """The slots of a bot, as a chat asks for them."""

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        """The slot of a chat, not before `earliest`. A chat is anything that stands for it."""
        ...

    def went(self, chat: object, now: datetime) -> None:
        """The chat uses its slot."""
        ...


class BotPace:
    """Slots of one bot over all its chats: `per_second` of them, evenly apart.

    A slot is promised to whoever asks for the time, so that many chats that ask at one moment do not
    all go at it. May be used from several threads.
    """

    def __init__(self, per_second: float = PER_BOT) -> None:
        self._apart = timedelta(seconds=1 / per_second)
        self._promised: dict[object, datetime] = {}
        self._used: list[datetime] = []
        self._lock = Lock()

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        with self._lock:
            mine = self._promised.pop(chat, now - 2 * KEPT)
            self._promised = {other: slot for other, slot in self._promised.items() if slot >= now - KEPT}
            late = now - KEPT <= mine <= now and earliest <= now  # it comes for a slot that is just over
            slot = mine if late else self._free(max(earliest, now), now)
            self._promised[chat] = slot
            return slot

    def spare_at(self, earliest: datetime, now: datetime) -> datetime:
        """The first slot that nobody is promised, with the one before it free as well. It stays free."""
        with self._lock:
            return self._free(max(earliest, now), now, apart=2 * self._apart)

    def went(self, chat: object, now: datetime) -> None:
        with self._lock:
            self._promised.pop(chat, None)
            self._used = [*self._recent(now), now]

    def _free(self, slot: datetime, now: datetime, *, apart: timedelta | None = None) -> datetime:
        apart = apart or self._apart
        for taken in sorted([*self._recent(now), *self._promised.values()]):
            if slot + apart <= taken:
                break
            slot = max(slot, taken + apart)
        return slot

    def _recent(self, now: datetime) -> list[datetime]:
        return [used for used in self._used if now - self._apart < used <= now]


class SpareSlots:
    """The slots of a bot that nobody publishes in, for what is said beside: publishing goes first.

    Where there is none for `patience`, it takes its turn like the others, or it would never be said.
    """

    def __init__(self, shared: BotPace, patience: timedelta = timedelta(seconds=5)) -> None:
        self._shared = shared
        self._patience = patience
        self._asked: dict[object, datetime] = {}

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        asked = self._asked.setdefault(chat, max(earliest, now))
        if now - asked > self._patience:
            return self._shared.ready_at(chat, earliest, now)
        return self._shared.spare_at(earliest, now)

    def went(self, chat: object, now: datetime) -> None:
        self._asked.pop(chat, None)
        self._shared.went(chat, now)


class TelegramPace:
    """A chat's own pace: it falls at once where Telegram asks to wait, and climbs again post by post.

    `start_rate` is messages a second, at first and at the most; `remembered` is the rate it had when
    the service ended. In a `group` there is Telegram's other limit too. A clock that steps back costs a
    short wait.
    """

    def __init__(
        self, start_rate: float, *, group: bool, shared: Slots, remembered: float | None = None
    ) -> None:
        self._most = start_rate
        self._go_at(
            min(start_rate, max(start_rate * LEAST, start_rate if remembered is None else remembered))
        )
        self._learned = remembered is not None
        self._shared = shared
        self._group = group
        self._even: datetime | None = None  # when the next message is due at an even pace
        self._recent: deque[datetime] = deque(maxlen=IN_A_GROUP)

    @property
    def rate(self) -> float | None:
        return self._rate if self._learned else None

    def ready_at(self, now: datetime) -> datetime:
        return self._shared.ready_at(self, max(self._own(now), self._groups(now)), now)

    def went(self, now: datetime) -> None:
        self._own(now)
        self._even = max(self._even or now, now) + self._interval
        self._recent.append(now)
        self._shared.went(self, now)

    def judged(self, outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Sent():
                self._climb(now)
            case Throttled():
                self._go_at(max(self._most * LEAST, self._rate * FALL))
                self._learned = True
                self._even = now + self._interval
            case _:
                pass

    def room(self, posts: int, now: datetime) -> Room:
        return self.prospect(now).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:  # noqa: ARG002  # nothing here ends at a time
        in_a_group = GROUP_SPAN / IN_A_GROUP
        return Prospect(step=max(self._interval, in_a_group) if self._group else self._interval)

    def _climb(self, now: datetime) -> None:
        if self._rate < self._most:
            self._go_at(min(self._most, self._rate + self._most * CLIMB))
            # What it takes at once has to be earned by a rest.
            self._even = (self._even or now) + (self._burst - 1) * self._interval

    def _go_at(self, rate: float) -> None:
        self._rate = rate
        self._interval = timedelta(seconds=1 / rate)

    @property
    def _burst(self) -> int:
        """A chat that asked to wait takes one at a time until it has all its pace again."""
        return BURST if self._rate == self._most else 1

    def _own(self, now: datetime) -> datetime:
        """When the chat's own pace lets the next message go."""
        if self._even is None:
            return now
        self._even = min(self._even, now + self._burst * self._interval)  # it is later after a step back only
        return self._even - (self._burst - 1) * self._interval

    def _groups(self, now: datetime) -> datetime:
        if not self._group or len(self._recent) < IN_A_GROUP:
            return now
        if self._recent[-1] > now:  # the clock stepped back
            self._recent = deque((min(at, now) for at in self._recent), maxlen=IN_A_GROUP)
        return self._recent[0] + GROUP_SPAN


# Mastodon: https://docs.joinmastodon.org/api/rate-limits/

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = 300  # an account's, in STATUSES_WINDOW
STATUSES_WINDOW = timedelta(hours=3)
REQUESTS = 300  # a token's, in REQUESTS_WINDOW
REQUESTS_WINDOW = timedelta(minutes=5)
LONGEST_OTHER = timedelta(minutes=33)  # other limits end sooner: after 30 min, and a clock that is off
OFF = timedelta(minutes=2.5)  # by which it may be off: all limits end at multiples of five minutes
REQUEST_GIVER = "the server takes"


class MastodonPace:
    """An account's pace: as fast as the server's headers allow, so that it never has to say 429.

    `quota` is what the last answer left, None where there was none. `sent_since` counts the posts of
    ours that went out on the account at a moment or later; it is asked before each chain, and once where
    the first post goes on with one. `statuses` and `requests` are what an account and a token may do in a
    window, as long as the server says nothing else; windows begin at multiples of their length since 1970.
    A server whose answers tell of no limit has none.
    """

    def __init__(
        self,
        quota: Callable[[], Quota | None],
        sent_since: Callable[[datetime], int],
        *,
        statuses: int = STATUSES,
        requests: int = REQUESTS,
    ) -> None:
        self._quota = quota
        self._sent_since = sent_since
        self._statuses = _Tally(statuses, STATUSES_WINDOW)
        self._requests = _Tally(requests, REQUESTS_WINDOW)
        self._told: tuple[Quota, int] | None = None  # of statuses, with how many of ours were out then
        self._unanswered = 0  # sends since the last answer
        self._counted = False
        self._is_told = True  # until an answer came that tells of no limit

    @property
    def rate(self) -> float | None:
        return None

    def ready_at(self, now: datetime) -> datetime:
        return max([now, *(window.ends for window in self._windows(now) if window.left <= 0)])

    def went(self, now: datetime) -> None:
        self._windows(now)
        self._statuses.count += 1
        self._requests.count += 1
        self._unanswered += 1

    def judged(self, outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Sent():
                self._unanswered = 0
                self._is_told = self._quota() is not None
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

    def room(self, posts: int, now: datetime) -> Room:
        self._counted = False
        self._is_told = self._quota() is not None  # the account was asked for before the chain
        return self.prospect(now).room(posts, now)

    def prospect(self, now: datetime) -> Prospect:
        return Prospect(windows=self._windows(now))

    def _windows(self, now: datetime) -> tuple[Window, ...]:
        for tally in (self._statuses, self._requests):
            tally.turn(now)
        if not self._counted:
            self._statuses.count = max(self._statuses.count, self._sent_since(self._statuses.begins))
            self._counted = True
        self._listen(now)
        if not self._is_told:
            return ()
        return (self._of_statuses(now), self._of_requests(now))

    def _listen(self, now: datetime) -> None:
        """Note what an answer told of statuses: the next one may tell of another limit."""
        quota = self._quota()
        if quota is None or quota.reset <= now or self._is_noted(quota):
            return
        self._statuses.turn(now)
        surely = quota.reset > now + LONGEST_OTHER
        if surely:
            self._statuses.whole = max(1, quota.limit)
        window = self._of_statuses(now)
        # Towards the end of the window it may be another limit's, and then says nothing where it is higher.
        if surely or (abs(quota.reset - window.ends) < OFF and quota.remaining <= window.left):
            self._told = quota, self._statuses.count

    def _is_noted(self, quota: Quota) -> bool:
        return self._told is not None and self._told[0] == quota

    def _of_statuses(self, now: datetime) -> Window:
        own = self._statuses.window()
        if self._told is None or self._told[0].reset <= now:
            return own
        quota, then = self._told
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
