"""Which threads are told of, to whom, and what was told of them. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from threadcast.bot.chat.commands import Role
from threadcast.bot.chat.views.message import Said
from threadcast.bot.requests.queries import Dossier
from threadcast.queue.states import DeliveryState

BEGUN = frozenset(
    {
        DeliveryState.PUBLISHING,
        DeliveryState.PUBLISHED,
        DeliveryState.FAILED,
        DeliveryState.UNSURE,
        DeliveryState.WITHDRAWN,
    }
)
CALLS = frozenset({DeliveryState.FAILED, DeliveryState.UNSURE})  # for a person, so it makes a sound


@dataclass(slots=True)
class Told:
    """A message that stands for a thread in a chat, and which states it told of."""

    message: int
    states: frozenset[str] = field(default_factory=frozenset)

    def written(self) -> str:
        return " ".join([str(self.message), *sorted(self.states)])

    @classmethod
    def read(cls, text: str) -> "Told":
        message, *states = text.split()
        return cls(int(message), frozenset(states))


def adders(dossier: Dossier) -> frozenset[int | None]:
    """Who added it, by their ids; None for somebody who did it elsewhere."""
    return frozenset(_person(event.actor) for event in dossier.events if event.what == "add")


def is_worth_it(dossier: Dossier, people: Mapping[int, Role]) -> bool:
    """Whether a thread is reported at all: it has begun, or waits for an owner who does not know."""
    deliveries = [chain.delivery for chain in dossier.chains]
    if any(one.state in BEGUN or one.sent for one in deliveries):
        return True
    by_an_owner = all(one is not None and people.get(one) is Role.OWNER for one in adders(dossier))
    return any(one.state is DeliveryState.HELD for one in deliveries) and not by_an_owner


def goes_on(dossier: Dossier) -> bool:
    waits: Collection[DeliveryState] = (DeliveryState.PUBLISHING, DeliveryState.QUEUED)
    return any(chain.delivery.state in waits for chain in dossier.chains)


def _person(actor: str) -> int | None:
    kind, _, number = actor.partition(":")
    return int(number) if kind == "telegram" and number.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Calm:
    """How often a message is changed, in seconds: first after `first`, then every `between`.

    A chain that is through before that gives one message.
    """

    first: float = 2.0
    between: float = 4.0


@dataclass(slots=True)
class Touched:
    since: float
    hurry: bool = False
    event: int | None = None  # the first one that is not told of yet


@dataclass(frozen=True, slots=True)
class News:
    """Something that is about no thread, to be said in a chat from a moment on."""

    chat: int
    said: Said
    since: float
