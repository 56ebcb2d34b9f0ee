"""Which threads are told of, when, and what was told of them. Pure: times are given."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from threadcast.bot.chat.access import Role
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.wording import SENT_BACK, STOPPED, stands
from threadcast.queue.states import DeliveryState

# How often a message is changed, in seconds. A chain that is through before the first gives one message.
FIRST_REPORT: Final = 2.0
BETWEEN_REPORTS: Final = 4.0

SEEN_FOR: Final = timedelta(hours=1)  # after that long a message stands far above what was said since

ALL = frozenset([*DeliveryState, *STOPPED.values(), SENT_BACK])
BEGUN = frozenset(DeliveryState) - {DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.CANCELLED}
CALLS = frozenset({DeliveryState.FAILED, DeliveryState.UNSURE, SENT_BACK})  # for a person: with a sound


@dataclass(slots=True)
class Pending:
    """A thread to be told of. `event` is the first one that was not told of yet, None where none was."""

    since: float = 0.0
    urgent: bool = False
    event: int | None = None


class Debounce:
    """Threads to which something happened, each until its report is due. Times are seconds of a timer."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}
        self._last: dict[int, float] = {}  # when a thread was told of

    def touch(self, thread: int, now: float, *, urgent: bool, event: int | None = None) -> None:
        one = self._pending.setdefault(thread, Pending(now))
        one.urgent = one.urgent or urgent
        one.event = one.event or event

    def take(self, now: float) -> dict[int, Pending]:
        """Those that are due."""
        due = {thread: one for thread, one in self._pending.items() if self._due_at(thread) <= now}
        self._pending = {thread: one for thread, one in self._pending.items() if thread not in due}
        self._last = {one: at for one, at in self._last.items() if at + BETWEEN_REPORTS > now}
        self._last.update(dict.fromkeys(due, now))
        return due

    def next_at(self) -> float | None:
        return min(map(self._due_at, self._pending), default=None)

    def events(self) -> list[int]:
        return [one.event for one in self._pending.values() if one.event is not None]

    def _due_at(self, thread: int) -> float:
        one, last = self._pending[thread], self._last.get(thread)
        if one.urgent:
            return one.since
        return one.since + FIRST_REPORT if last is None else max(one.since, last + BETWEEN_REPORTS)


@dataclass(frozen=True, slots=True)
class Report:
    """The message that stands for a thread in a chat, when it was said, and which states it told of."""

    message: int
    said: datetime
    states: frozenset[str] = frozenset()

    def written(self) -> str:
        return " ".join([str(self.message), self.said.isoformat(), *sorted(self.states)])

    @classmethod
    def read(cls, text: str) -> "Report":
        message, said, *states = text.split()
        return cls(int(message), datetime.fromisoformat(said), frozenset(states))

    def serves(self, states: frozenset[str], now: datetime) -> bool:
        """Whether its message can go on to tell of the thread.

        A call for a person needs one that makes a sound, and what begins or ends long after it was said is
        told where it is seen.
        """
        new = {one.rpartition("=")[2] for one in states - self.states}
        return not (new & CALLS or (new & BEGUN and now - self.said > SEEN_FOR))


def concerns(dossier: Dossier, chat: int, people: Mapping[int, Role], report_to: Collection[int]) -> bool:
    """Whether a thread is reported in a chat: in the group, or to every owner and the editor who added it.

    The editor knows that it waits, and is told when it does not any more.
    """
    if chat in report_to:
        return _is_worth_it(dossier, people)
    held = all(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)
    in_group = not set(report_to) <= set(people)
    return not in_group and chat in _adders(dossier) and not held


def _adders(dossier: Dossier) -> frozenset[int | None]:
    """Who added it, by their ids; None for somebody who did it elsewhere."""
    return frozenset(_person(event.actor) for event in dossier.events if event.what == "add")


def _is_worth_it(dossier: Dossier, people: Mapping[int, Role]) -> bool:
    """Whether a thread is reported at all: it has begun, was sent back, or waits for an owner unawares."""
    deliveries = [chain.delivery for chain in dossier.chains]
    if any(one.state in BEGUN or one.sent or stands(one) in CALLS for one in deliveries):
        return True
    by_an_owner = all(one is not None and people.get(one) is Role.OWNER for one in _adders(dossier))
    return any(one.state is DeliveryState.HELD for one in deliveries) and not by_an_owner


def states_of(dossier: Dossier, wanted: Collection[str] = ALL) -> frozenset[str]:
    """How a thread stands on its channels; what a person stopped is none that failed."""
    words = {chain.delivery.channel: stands(chain.delivery) for chain in dossier.chains}
    return frozenset(f"{channel}={word}" for channel, word in words.items() if word in wanted)


def _person(actor: str) -> int | None:
    kind, _, number = actor.partition(":")
    return int(number) if kind == "telegram" and number.isdecimal() else None
