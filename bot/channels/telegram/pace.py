"""How fast a Telegram chat may be written to. Nothing here sleeps or has a clock: times are given (UTC).

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock

from threadcast.bot.channels.budget import Prospect
from threadcast.bot.channels.pace import Pace
from threadcast.queue.outcomes import Outcome, Sent, Throttled

PER_BOT = 30.0  # messages a second over all chats of a bot
PER_PERSON = 1.0  # messages a second into a private chat
BURST = 3  # messages that a chat takes at once after a rest
IN_A_GROUP = 20  # messages in GROUP_SPAN
GROUP_SPAN = timedelta(seconds=61)  # a minute, and what the way may take
FALL = 0.5  # what is left of a chat's rate after a 429
CLIMB = 1 / 50  # what a post that went out wins back, of the rate at the most
LEAST = 1 / 32  # what is left after any number of 429s, of the rate at the most
KEPT = timedelta(seconds=1)  # how long a slot is kept for a chat that does not use it

# How the Bot API tells a group's id from that of a channel or a supergroup, which look alike.
GROUP, NO_GROUP = "-", "-100"


class BotPace:
    """Slots of one bot over all its chats: `per_second` of them, evenly apart.

    A slot is promised to whoever asks for the time, so that many chats that ask at one moment do not
    all go at it. May be used from several threads.
    """

    asks = False

    def __init__(self, per_second: float = PER_BOT) -> None:
        self._in_a_second = math.ceil(per_second)
        self._apart = timedelta(seconds=1 / per_second)
        self._second = timedelta(seconds=self._in_a_second / per_second)
        self._promised: dict[object, datetime] = {}
        self._used: list[datetime] = []
        self._lock = Lock()

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        """Return the slot of a chat, not before `earliest`. A chat is anything that stands for it."""
        with self._lock:
            mine = self._promised.pop(chat, now - 2 * KEPT)
            self._promised = {other: slot for other, slot in self._promised.items() if slot >= now - KEPT}
            late = now - KEPT <= mine <= now and earliest <= now  # it comes for a slot that is just over
            slot = mine if late else self._free(max(earliest, now), now)
            if slot <= now and len(recent := self._recent(now)) >= self._in_a_second:
                slot = recent[-self._in_a_second] + self._second  # many came late, and so close together
            self._promised[chat] = slot
            return slot

    def spare_at(self, earliest: datetime, now: datetime) -> datetime:
        """When one more message fits between the others; it is promised to nobody."""
        with self._lock:
            return self._with_room(max(earliest, now))

    def begun(self, chat: object, now: datetime) -> None:
        """Note that the chat uses its slot."""
        with self._lock:
            self._promised.pop(chat, None)
            self._used = [*self._recent(now), now]

    def _recent(self, now: datetime) -> list[datetime]:
        return [used for used in self._used if now - self._second < used <= now]

    def _free(self, slot: datetime, now: datetime) -> datetime:
        recent = [used for used in self._used if now - self._apart < used <= now]
        for taken in sorted([*recent, *self._promised.values()]):
            if slot + self._apart <= taken:
                break
            slot = max(slot, taken + self._apart)
        room = self._with_room(slot)
        return slot if room == slot else self._free(room, now)

    def _with_room(self, slot: datetime) -> datetime:
        """The first moment from this one on at which no second gets more messages than it may have."""
        taken = sorted([*self._used, *self._promised.values()])
        while True:
            near = [one for one in taken if slot - self._second < one < slot + self._second]
            ends = zip(near, near[self._in_a_second - 1 :], strict=False)
            full = [first for first, last in ends if max(last, slot) - min(first, slot) < self._second]
            if not full:
                return slot
            slot = full[-1] + self._second


class SharedSlots:
    """The slots of a bot that works on several machines: all take them from one place, one after the other.

    `take` takes the next that is free from a moment on, and blocks. `here` knows what this machine does.
    """

    asks = True

    def __init__(self, here: BotPace, take: Callable[[datetime], datetime]) -> None:
        self._here = here
        self._take = take
        self._taken: dict[object, datetime] = {}

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        """Return the slot of a chat, or when it may ask for one: none is kept free for what is far off."""
        if earliest > now:
            return earliest
        slot = self._taken.get(chat)
        if slot is None or slot < now - KEPT:
            slot = self._taken[chat] = self._take(now)
        return slot

    def begun(self, chat: object, now: datetime) -> None:
        self._taken.pop(chat, None)
        self._here.begun(chat, now)


class SpareSlots:
    """The slots of a bot that nobody publishes in, for what is said beside: publishing goes first.

    Where there is none for `patience`, it takes its turn like the others, or it would never be said. `count`
    tells other machines of one that is used; it does not block.
    """

    asks = False

    def __init__(
        self,
        shared: BotPace,
        patience: timedelta = timedelta(seconds=5),
        *,
        count: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self._shared = shared
        self._count = count
        self._patience = patience
        self._asked: dict[object, datetime] = {}

    def ready_at(self, chat: object, earliest: datetime, now: datetime) -> datetime:
        asked = self._asked.setdefault(chat, max(earliest, now))
        if now - asked > self._patience:
            return self._shared.ready_at(chat, earliest, now)
        return self._shared.spare_at(earliest, now)

    def begun(self, chat: object, now: datetime) -> None:
        self._asked.pop(chat, None)
        self._shared.begun(chat, now)
        self._count(now)


class TelegramPace(Pace):
    """A chat's own pace: it falls at once where Telegram asks to wait, and climbs again post by post.

    `start_rate` is messages a second, at first and at the most; `remembered` is the rate it had when
    the service ended. In a `group` there is Telegram's other limit too. `recent` gives when posts went out
    since a moment, on other machines too. A clock that steps back costs a short wait.
    """

    def __init__(
        self,
        start_rate: float,
        *,
        group: bool,
        shared: BotPace | SharedSlots | SpareSlots,
        remembered: float | None = None,
        recent: Callable[[datetime], Iterable[datetime]] = lambda _: (),
    ) -> None:
        self._most = start_rate
        self._go_at(
            min(start_rate, max(start_rate * LEAST, start_rate if remembered is None else remembered))
        )
        self._learned = remembered is not None
        self._shared = shared
        self.asks = shared.asks
        self._sent_at = recent
        self._group = group
        self._even: datetime | None = None  # when the next message is due at an even pace
        self._recent: deque[datetime] = deque(maxlen=IN_A_GROUP)

    @property
    def rate(self) -> float | None:
        return self._rate if self._learned else None

    def catch_up(self, now: datetime) -> None:
        self._recent = deque(self._sent_at(now - GROUP_SPAN), maxlen=IN_A_GROUP)
        for at in self._recent:
            self._even = max(self._even or at, at + self._interval)

    def ready_at(self, now: datetime) -> datetime:
        return self._shared.ready_at(self, max(self._own(now), self._groups(now)), now)

    def begun(self, now: datetime) -> None:
        self._own(now)
        self._even = max(self._even or now, now) + self._interval
        self._recent.append(now)
        self._shared.begun(self, now)

    def ended(self, outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Sent():
                self._climb(now)
            case Throttled():
                self._go_at(max(self._most * LEAST, self._rate * FALL))
                self._learned = True
                self._even = now + self._interval
            case _:
                pass

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


def is_group(chat: str) -> bool:
    """Whether a chat's id is that of a group. A supergroup's id does not tell, and neither does a name."""
    return chat.startswith(GROUP) and not chat.startswith(NO_GROUP)
