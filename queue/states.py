"""States, outcomes, and what follows from an outcome: the only place that picks a state.

Everything else reads its rules from here: the stores guard their writes with `TRANSITIONS`, the
database's CHECKs list these states, the diagram in docs/ is generated from them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    HELD = "held"  # waits for a person
    QUEUED = "queued"  # waits for its time and its turn
    PUBLISHING = "publishing"  # begun: its channel belongs to it until it ends or stops
    UNSURE = "unsure"  # a post may or may not be out; a person has to look
    PUBLISHED = "published"
    FAILED = "failed"  # refused; a person may retry or cancel
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"  # published once, then taken down


class PostState(StrEnum):
    """Where a post stands."""

    PLANNED = "planned"
    SENDING = "sending"  # the intent is on disk; the call may be under way
    SENT = "sent"
    UNKNOWN = "unknown"  # may be out
    REFUSED = "refused"


class Event(StrEnum):
    """What can happen to a delivery."""

    CLAIM = "claim"  # a worker takes it, or takes it over after a lease ran out
    GO_ON = "go-on"  # a post went out and more follow
    FINISH = "finish"  # the last post went out
    WAIT = "wait"  # throttled or unreached: later, from the same post
    REFUSE = "refuse"  # a post was refused
    DOUBT = "doubt"  # a post's fate is unknown, and only a person can find out
    SEEK = "seek"  # a post's fate is unknown: it is looked for on the network
    RESEND = "resend"  # looked for, and certainly not there: the same post is sent again
    HOLD = "hold"
    RELEASE = "release"
    SCHEDULE = "schedule"  # it starts at a time of its own, whatever its channel's schedule
    CANCEL = "cancel"
    RETRY = "retry"
    SKIP = "skip"  # the refused post is left out, and the chain goes on behind it
    SETTLE = "settle"  # a person said whether the doubtful post is out
    CONTINUE = "continue"  # its thread has got more parts
    WITHDRAW = "withdraw"  # its posts are taken down


class Code(StrEnum):
    """Why a delivery waits or stopped, for whatever decides by it; its `reason` is for people."""

    NONE = ""
    ROOM = "room"  # waits until its account's budget has room for the whole chain
    THROTTLED = "throttled"  # the platform asks to wait
    UNREACHED = "unreached"  # no connection, or the server cannot work now
    QUIET = "quiet"  # the channel's quiet hours
    STOPPED = "stopped"  # the service stopped before the call ended
    TOKEN = "token"  # noqa: S105  # not one itself: the account's is not accepted
    RIGHTS = "rights"  # the account may not post there
    GONE = "gone"  # the chat or account is not there any more, or cannot be found
    PARENT = "parent"  # the post to reply to is not there
    TOO_LONG = "too long"
    CONTENT = "content"  # the platform does not take what is in the post
    ADAPTER = "adapter"  # a fault of ours
    UNANSWERED = "unanswered"  # no answer that says whether the post is out
    STRAY = "stray"  # a post is out, and not where it should be
    NOT_THERE = "not there"  # looked for and not found: sent again
    ONCE_MORE = "once more"  # not found yet: looked for once more before it is sent again
    BLIND = "blind"  # cannot be looked for
    OTHER = "other"


# What is the channel's fault and not the post's: until a person mends it, every post would meet it.
CHANNEL_FAULTS = frozenset({Code.TOKEN, Code.RIGHTS, Code.GONE})

# (state, event) -> state. What is not here is not allowed.
TRANSITIONS: dict[tuple[DeliveryState, Event], DeliveryState] = {
    (DeliveryState.HELD, Event.RELEASE): DeliveryState.QUEUED,
    (DeliveryState.HELD, Event.SCHEDULE): DeliveryState.QUEUED,
    (DeliveryState.HELD, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.QUEUED, Event.HOLD): DeliveryState.HELD,
    (DeliveryState.QUEUED, Event.SCHEDULE): DeliveryState.QUEUED,
    (DeliveryState.QUEUED, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.QUEUED, Event.CLAIM): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.CLAIM): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.GO_ON): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.WAIT): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.FINISH): DeliveryState.PUBLISHED,
    (DeliveryState.PUBLISHING, Event.REFUSE): DeliveryState.FAILED,
    (DeliveryState.PUBLISHING, Event.SEEK): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.RESEND): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.DOUBT): DeliveryState.UNSURE,
    (DeliveryState.PUBLISHING, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.UNSURE, Event.SETTLE): DeliveryState.QUEUED,
    (DeliveryState.UNSURE, Event.FINISH): DeliveryState.PUBLISHED,
    (DeliveryState.UNSURE, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.UNSURE, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.FAILED, Event.RETRY): DeliveryState.QUEUED,
    (DeliveryState.FAILED, Event.SKIP): DeliveryState.QUEUED,
    (DeliveryState.FAILED, Event.FINISH): DeliveryState.PUBLISHED,
    (DeliveryState.FAILED, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.PUBLISHED, Event.CONTINUE): DeliveryState.QUEUED,
    (DeliveryState.PUBLISHED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.FAILED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.CANCELLED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
}

# A channel takes a thread (by fingerprint) once while a delivery of it is in one of these states.
LIVE = frozenset(
    {
        DeliveryState.HELD,
        DeliveryState.QUEUED,
        DeliveryState.PUBLISHING,
        DeliveryState.UNSURE,
        DeliveryState.FAILED,
    }
)

# Where a delivery may begin.
BEGINNINGS = (DeliveryState.HELD, DeliveryState.QUEUED)

# What a person may ask of a delivery; everything else is the publisher's, or needs more than a wish.
REQUESTS = frozenset({Event.HOLD, Event.RELEASE, Event.SCHEDULE, Event.CANCEL, Event.RETRY})

# What a person can bring about: a request, or one that needs more than a wish.
_WISHES = REQUESTS | {Event.SETTLE, Event.SKIP, Event.CONTINUE, Event.WITHDRAW}

# Where the wish has another name than the event.
_WORDS = {Event.SCHEDULE: "publish now", Event.WITHDRAW: "undo"}


class NotAllowedError(Exception):
    """The state does not allow what was asked; the message says what it would allow."""


def allowed(state: DeliveryState) -> tuple[Event, ...]:
    """What may happen to a delivery in this state, in the order of the table."""
    return tuple(event for (source, event) in TRANSITIONS if source is state)


def follow(state: DeliveryState, event: Event) -> DeliveryState:
    """The state after an event.

    Raises NotAllowedError, naming what a person could ask for instead, where the table has no arrow.
    """
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        options = ", ".join(_word(each) for each in allowed(state) if each in _WISHES) or "nothing"
        said = f"{_word(event)} is not possible while {state}; possible now: {options}"
        raise NotAllowedError(said) from None


def _word(event: Event) -> str:
    return _WORDS.get(event, event.value)


def diagram() -> str:
    """The table as a Mermaid state diagram, the picture in docs/states.md.

    https://mermaid.js.org/syntax/stateDiagram.html
    """
    lines = ["stateDiagram-v2"]
    lines += [f"    [*] --> {state}" for state in BEGINNINGS]
    lines += [f"    {source} --> {target}: {event}" for (source, event), target in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in DeliveryState if not allowed(state)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """The post is out. `remote_id` is the platform's id, a string even where it is a number."""

    remote_id: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Throttled:
    """Certainly not sent; the platform asks to wait until a moment (UTC)."""

    until: datetime
    reason: str
    code: Code = Code.THROTTLED


@dataclass(frozen=True, slots=True)
class Unreached:
    """Certainly not sent: no connection was made, or none was asked for."""

    reason: str
    code: Code = Code.UNREACHED


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not sent, and sending the same again will not help: not until a person mended something."""

    reason: str
    code: Code = Code.OTHER


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been sent.

    `stray` is the remote id of a post that certainly is out, but not where it should be: to look for it,
    or to send it again, would not help; a person has to put it right.
    """

    reason: str
    stray: str | None = None
    code: Code = Code.UNANSWERED


Outcome = Sent | Throttled | Unreached | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked for where the post would be, all the way: it is not there."""


@dataclass(frozen=True, slots=True)
class Blind:
    """There is no way to look, or (`seen`) what was found is for a person to judge; the reason says which."""

    reason: str
    seen: bool = False
    code: Code = Code.BLIND


# What a look for a post of unknown fate came to. After Throttled and Unreached it is looked for again.
Look = Sent | Absent | Throttled | Unreached | Blind

# What taking a post down came to. Absent: it is not there, by this call or before.
TakeDown = Absent | Throttled | Unreached | Refused


@dataclass(frozen=True, slots=True)
class Settling:
    """How posts of unknown fate are settled on a channel.

    A look means something from `first_look` after a try began: until then the server may still be at
    work on it. A post that `misses` looks in a row, `apart` from each other, did not find is sent again;
    while its first try is younger than `key_life`, one is enough, because the server knows the key. With
    `resend` a post that cannot be looked for is sent again too: the owner prefers twice to never. Not
    where something was seen that may be it.
    """

    first_look: timedelta
    apart: timedelta = timedelta(0)
    misses: int = 1
    key_life: timedelta = timedelta(0)
    resend: bool = False


FIRST_DELAY = timedelta(seconds=2)
SHORTEST_WAIT = timedelta(seconds=1)  # a server whose clock is behind ours asks to wait until the past
LONGEST_DELAY = timedelta(minutes=15)
LOOKING_TRIES = 4  # a network that cannot be looked at is tried again after 8 to 16 seconds

NOT_THERE = "looked for, and not there: sent again"
ONCE_MORE = "looked for, and not there yet: looked for once more before it is sent again"


def retry_delay(tries: int, chance: float) -> timedelta:
    """How long to wait after `tries` failed connections (1 for the first).

    Doubles from 2 s up to 15 min. `chance` (0 to 1, drawn by the caller) moves the result within the
    upper half of that, so that many channels of one server do not come back in step.
    """
    doublings = min(max(tries, 1) - 1, 20)
    full = min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)
    return full * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written after an outcome.

    `due` is when the delivery goes on, or None where it goes on at once or not at all. With
    `keeps_lease` the same worker goes on with the next post; without, the lease ends. `misses` counts
    the looks in a row that did not find an unknown post.
    """

    event: Event
    post: PostState
    reason: str
    due: datetime | None
    keeps_lease: bool
    sent: Sent | None = None
    misses: int = 0
    code: Code = Code.NONE


def decide(
    outcome: Outcome,
    *,
    last: bool,
    tries: int,
    now: datetime,
    chance: float,
    gap: timedelta = timedelta(0),
    settling: Settling | None = None,
    began: datetime | None = None,
) -> Change:
    """What follows from the outcome of one send.

    `last`: no post of the chain follows this one. `tries`: how often this post was tried, this time
    included. `chance`: see `retry_delay`. `gap`: how long the next post of the chain has to wait;
    where it has to, the lease ends, and whoever claims the chain then goes on with it. `settling`:
    how the channel can be looked at, None where a person has to. `began`: when the try began whose
    worker went away, None where the outcome was just learned.
    """
    match outcome:
        case Sent():
            return _sent(outcome, last=last, due=now + gap if gap > timedelta(0) else None)
        case Throttled(until):
            return _wait(outcome, max(until, now + SHORTEST_WAIT))
        case Unreached():
            return _wait(outcome, now + retry_delay(tries, chance))
        case Refused():
            return _refused(outcome, now + retry_delay(tries, chance))
    # The type checker knows that Unknown alone is left.
    if settling is None or outcome.stray is not None:
        return _doubt(outcome)
    return _seek(outcome.reason, outcome.code, max(now, (began or now) + settling.first_look))


def _sent(sent: Sent, *, last: bool, due: datetime | None) -> Change:
    if last:
        return Change(Event.FINISH, PostState.SENT, "", None, keeps_lease=False, sent=sent)
    return Change(Event.GO_ON, PostState.SENT, "", due, keeps_lease=due is None, sent=sent)


def _refused(outcome: Refused, due: datetime) -> Change:
    if outcome.code in CHANNEL_FAULTS:  # the chain and the queue behind it stay as they are
        return _wait(outcome, due)
    return Change(Event.REFUSE, PostState.REFUSED, outcome.reason, None, keeps_lease=False, code=outcome.code)


def _wait(outcome: Throttled | Unreached | Refused, due: datetime) -> Change:
    return Change(Event.WAIT, PostState.PLANNED, outcome.reason, due, keeps_lease=False, code=outcome.code)


def _doubt(about: Unknown | Blind) -> Change:
    return Change(Event.DOUBT, PostState.UNKNOWN, about.reason, None, keeps_lease=False, code=about.code)


def _seek(reason: str, code: Code, due: datetime, *, misses: int = 0) -> Change:
    return Change(Event.SEEK, PostState.UNKNOWN, reason, due, keeps_lease=False, misses=misses, code=code)


def _resend(reason: str, code: Code) -> Change:
    return Change(Event.RESEND, PostState.PLANNED, reason, None, keeps_lease=True, code=code)


def settle(
    look: Look,
    *,
    settling: Settling,
    since: datetime,
    misses: int,
    last: bool,
    now: datetime,
    chance: float,
    gap: timedelta = timedelta(0),
) -> Change:
    """What follows from a look for a post of unknown fate.

    `since`: when the first try began whose fate was unknown. `misses`: the looks in a row before this one
    that did not find the post. The others as in `decide`.
    """
    match look:
        case Sent():
            return decide(look, last=last, tries=1, now=now, chance=chance, gap=gap)
        case Absent():
            enough = 1 if now - since < settling.key_life else settling.misses
            if misses + 1 >= enough:
                return _resend(NOT_THERE, Code.NOT_THERE)
            return _seek(ONCE_MORE, Code.ONCE_MORE, now + settling.apart, misses=misses + 1)
        case Throttled(until, reason, code):
            return _seek(reason, code, max(until, now + SHORTEST_WAIT), misses=misses)
        case Unreached(reason, code):
            return _seek(reason, code, now + retry_delay(LOOKING_TRIES, chance), misses=misses)
    # Blind alone is left.
    return _resend(look.reason, look.code) if settling.resend and not look.seen else _doubt(look)


def interrupted(post: PostState) -> bool:
    """Whether a claimed delivery's post was being sent when its last worker went away.

    Such a post may be out: it is judged as an unknown outcome before anything else is sent.
    """
    return post in {PostState.SENDING, PostState.UNKNOWN}
