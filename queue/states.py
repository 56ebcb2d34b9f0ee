"""States, outcomes, and what follows from an outcome: the only place that picks a state.

Everything else reads its rules from here: the stores guard their writes with `TRANSITIONS`, the
database's CHECKs list these states, and a test holds the diagram in docs/ against them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from threadcast.queue.errors import Fault, NotAllowedError
from threadcast.queue.outcomes import (
    CHANNEL_FAULTS,
    MENDABLE,
    Absent,
    Blind,
    Code,
    Look,
    Obstacle,
    Outcome,
    Refused,
    Sent,
    Settling,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.sentences import Sentence


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    HELD = "held"  # waits for a person
    QUEUED = "queued"  # waits for its time and its turn
    PUBLISHING = "publishing"  # begun: its channel belongs to it until it ends or stops
    UNSURE = "unsure"  # a post may or may not be out; a person has to look
    PUBLISHED = "published"
    FAILED = "failed"  # refused, or stopped by a person, who may retry or cancel
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
    SCHEDULE = "schedule"  # it starts at a time of its own, whatever its channel's schedule; without: in turn
    STOP = "stop"  # a person stops it: no post goes out after the one in hand
    CANCEL = "cancel"
    RETRY = "retry"
    SKIP = "skip"  # the refused post is left out, and the chain goes on behind it
    SETTLE = "settle"  # a person said whether the doubtful post is out, or corrects that
    CONTINUE = "continue"  # its thread has got more parts
    CORRECT = "correct"  # its thread says something else now, and so shall the posts that are out
    WITHDRAW = "withdraw"  # its posts are taken down


# (state, event) -> state. What is not here is not allowed.
TRANSITIONS: dict[tuple[DeliveryState, Event], DeliveryState] = {
    (DeliveryState.HELD, Event.RELEASE): DeliveryState.QUEUED,
    (DeliveryState.HELD, Event.SCHEDULE): DeliveryState.QUEUED,
    (DeliveryState.HELD, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.QUEUED, Event.HOLD): DeliveryState.HELD,
    (DeliveryState.QUEUED, Event.STOP): DeliveryState.HELD,
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
    (DeliveryState.PUBLISHING, Event.RETRY): DeliveryState.PUBLISHING,
    (DeliveryState.PUBLISHING, Event.STOP): DeliveryState.FAILED,
    (DeliveryState.PUBLISHING, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.UNSURE, Event.SETTLE): DeliveryState.QUEUED,
    (DeliveryState.UNSURE, Event.FINISH): DeliveryState.PUBLISHED,
    (DeliveryState.UNSURE, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.UNSURE, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.FAILED, Event.RETRY): DeliveryState.QUEUED,
    (DeliveryState.FAILED, Event.SKIP): DeliveryState.QUEUED,
    (DeliveryState.FAILED, Event.FINISH): DeliveryState.PUBLISHED,
    (DeliveryState.FAILED, Event.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.PUBLISHED, Event.SETTLE): DeliveryState.QUEUED,
    (DeliveryState.PUBLISHED, Event.CONTINUE): DeliveryState.QUEUED,
    (DeliveryState.PUBLISHED, Event.CORRECT): DeliveryState.QUEUED,
    (DeliveryState.PUBLISHED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.FAILED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
    (DeliveryState.CANCELLED, Event.HOLD): DeliveryState.HELD,
    (DeliveryState.CANCELLED, Event.WITHDRAW): DeliveryState.WITHDRAWN,
}

# A channel takes a thread (by fingerprint) once while a delivery of it is in one of these states.
LIVE = frozenset(DeliveryState) - {DeliveryState.PUBLISHED, DeliveryState.CANCELLED, DeliveryState.WITHDRAWN}

# What is under way, or to come: the queue as a person sees it.
WAITING = LIVE - {DeliveryState.FAILED}

# What goes on by itself, as soon as it may.
GOES_ON = frozenset({DeliveryState.QUEUED, DeliveryState.PUBLISHING})

# Where a delivery may begin.
BEGINNINGS = (DeliveryState.HELD, DeliveryState.QUEUED)

# What a person may ask of a delivery; everything else is the publisher's, or needs more than a wish.
REQUESTS = frozenset({Event.HOLD, Event.RELEASE, Event.SCHEDULE, Event.STOP, Event.CANCEL, Event.RETRY})

# Where nothing is under way any more, or to come: with a moment at which that was reached.
ENDED = frozenset(DeliveryState) - WAITING

# What goes on only where a person sees to it.
STOPPED = frozenset({DeliveryState.UNSURE, DeliveryState.FAILED})

# What a person looks back on.
OVER = ENDED | STOPPED

# After these a delivery has a time of its own: what is half out does not wait for a slot.
_AT_ONCE = frozenset({Event.SCHEDULE, Event.RETRY, Event.SKIP, Event.SETTLE, Event.CONTINUE, Event.CORRECT})

# What a person can bring about: a request, or one that needs more than a wish.
_WISHES = REQUESTS | {Event.SETTLE, Event.SKIP, Event.CONTINUE, Event.CORRECT, Event.WITHDRAW}


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
        possible = tuple(each for each in allowed(state) if each in _WISHES)
        raise NotAllowedError(Fault.STATE, event=event, state=state, possible=possible) from None


FIRST_DELAY = timedelta(seconds=2)
SHORTEST_WAIT = timedelta(seconds=1)  # a server whose clock is behind ours asks to wait until the past
LONGEST_DELAY = timedelta(minutes=15)
LOOKING_TRIES = 4  # a network that cannot be looked at is tried again after 8 to 16 seconds

NOT_THERE = Sentence("looked for, and not there: sent again")
ONCE_MORE = Sentence("looked for, and not there yet: looked for once more before it is sent again")
STOPPING = Sentence("a person stopped it: it ends after the post in hand")
BY_PERSON = Sentence("a person stopped it")


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
    """What is to be written after an outcome, or a person's request.

    `post` is the post's new state, None where no post is concerned. `reason` None leaves the delivery's as
    it is. `due` is when the delivery goes on, or None where it goes on at once or not at all. With
    `keeps_lease` the same worker goes on with the next post; without, the lease ends. `misses` counts
    the looks in a row that did not find an unknown post.
    """

    event: Event
    post: PostState | None
    reason: str | None
    due: datetime | None
    keeps_lease: bool
    sent: Sent | None = None
    misses: int = 0
    code: Code = Code.NONE


def request(
    state: DeliveryState, event: Event, *, due: datetime | None = None, code: Code = Code.NONE
) -> Change:
    """What follows from what a person asks for: why it waited is over where it goes on, or has its end.

    Of what has begun, only what waits by its `code` for something to be mended is tried again at once.
    Raises NotAllowedError.
    """
    after = follow(state, event)
    if event is Event.STOP:
        return Change(event, None, BY_PERSON, None, keeps_lease=False, code=Code.PERSON)
    if state is DeliveryState.PUBLISHING and event is Event.RETRY and code not in MENDABLE:
        raise NotAllowedError(Fault.GOES_ON, state=state)
    goes_on = after in {DeliveryState.QUEUED, DeliveryState.PUBLISHED} or event is Event.RETRY
    reason = "" if goes_on or state is DeliveryState.CANCELLED else None
    return Change(event, None, reason, due, keeps_lease=False)


def heed(code: Code, change: Change) -> Change:
    """What is written of a delivery, where by its `code` a person asked to stop it meanwhile.

    What ends or stops it anyway goes its own way.
    """
    if code is not Code.PERSON:
        return change
    match change.event:
        case Event.GO_ON | Event.WAIT | Event.SEEK:
            stop = request(DeliveryState.PUBLISHING, Event.STOP)
            return replace(stop, post=change.post, sent=change.sent, misses=change.misses)
        case Event.RESEND:  # before the post is sent again it is looked whether that may be
            return replace(change, reason=STOPPING, code=code)
    return change


def written(state: DeliveryState, change: Change, now: datetime) -> dict[str, object]:
    """What a change writes of a delivery in this state, by column. Raises NotAllowedError."""
    after = follow(state, change.event)
    values: dict[str, object] = {"state": after, "finished": now if after in ENDED else None}
    if change.reason is not None:
        values |= {"reason": change.reason, "code": change.code}
    if change.due is not None:
        values["due"] = change.due
    if not change.keeps_lease:
        values |= {"lease_owner": None, "lease_until": None}
    if change.event in _AT_ONCE or (change.event in REQUESTS and change.due is not None):
        values["own_time"] = True
    if after is DeliveryState.QUEUED and state is not DeliveryState.QUEUED:
        values["queued"] = now
    if change.event is Event.SCHEDULE and change.due is None:  # no slot of the past is made up for
        values |= {"own_time": False, "due": now, "queued": now}
    return values


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


def _wait(outcome: Obstacle, due: datetime) -> Change:
    return Change(Event.WAIT, PostState.PLANNED, outcome.reason, due, keeps_lease=False, code=outcome.code)


def _doubt(about: Unknown | Blind) -> Change:
    return Change(Event.DOUBT, PostState.UNKNOWN, about.reason, None, keeps_lease=False, code=about.code)


def _seek(reason: str, code: Code, due: datetime, *, misses: int = 0) -> Change:
    return Change(Event.SEEK, PostState.UNKNOWN, reason, due, keeps_lease=False, misses=misses, code=code)


def _resend(reason: str, code: Code) -> Change:
    return Change(Event.RESEND, PostState.PLANNED, reason, None, keeps_lease=True, code=code)


def decide_edit(outcome: Outcome, *, tries: int, now: datetime, chance: float) -> Change:
    """What follows from the outcome of one edit of a post that is out; `post` is the state of the edit.

    An edit may be made again: one that may have been is. A post that the network refuses to edit stays as
    it was, and the others are edited all the same. The others as in `decide`.
    """
    match outcome:
        case Sent():
            return Change(Event.GO_ON, PostState.SENT, "", None, keeps_lease=True)
        case Refused(reason, code) if code not in CHANNEL_FAULTS:
            return Change(Event.GO_ON, PostState.REFUSED, reason, None, keeps_lease=True)
        case Unknown(reason, code=code):
            due = now + retry_delay(tries, chance)
            return Change(Event.WAIT, PostState.UNKNOWN, reason, due, keeps_lease=False, code=code)
    return decide(outcome, last=False, tries=tries, now=now, chance=chance)


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
