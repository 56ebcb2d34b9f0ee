"""The table of states, and what follows from an outcome."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from threadcast.queue.errors import NotAllowedError
from threadcast.queue.outcomes import (
    MENDABLE,
    Absent,
    Blind,
    Code,
    Look,
    Outcome,
    Refused,
    Sent,
    Settling,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.states import (
    _WISHES,
    BEGINNINGS,
    BY_PERSON,
    FIRST_DELAY,
    LIVE,
    LONGEST_DELAY,
    NOT_THERE,
    ONCE_MORE,
    REQUESTS,
    SHORTEST_WAIT,
    STOPPED,
    STOPPING,
    TRANSITIONS,
    Change,
    DeliveryState,
    Event,
    PostState,
    allowed,
    decide,
    follow,
    heed,
    interrupted,
    request,
    retry_delay,
    settle,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

# What each state leads to, written out a second time: a change of the table has to be meant.
EXPECTED: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("states_cases.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_and_event(state: DeliveryState, event: Event) -> None:
    """Each event leads each state where the table says, or is refused with what is possible instead."""
    arrows = EXPECTED[state]
    if event in arrows:
        assert follow(state, event) == arrows[event]
        assert event in allowed(state)
    else:
        with pytest.raises(NotAllowedError) as refused:
            follow(state, event)
        options = str(refused.value).partition("possible now: ")[2]
        wishes = set(arrows) & {
            *("hold", "release", "schedule", "stop", "cancel", "retry"),
            *("settle", "skip", "continue", "correct", "withdraw"),
        }
        named = {
            {"schedule": "publish now", "withdraw": "undo", "correct": "edit"}.get(wish, wish)
            for wish in wishes
        }
        assert set(options.split(", ")) == (named or {"nothing"})


def test_every_state_can_be_reached() -> None:
    """No state of the table is out of reach."""
    reached = set(BEGINNINGS)
    while True:
        further = {target for (source, _), target in TRANSITIONS.items() if source in reached}
        if further <= reached:
            break
        reached |= further
    assert reached == set(DeliveryState)


def test_nothing_ended_comes_back_to_life() -> None:
    """Only what is published and gets more posts, or other texts, comes to life again, and the cancelled."""
    revived = [arrow for arrow, target in TRANSITIONS.items() if target in LIVE and arrow[0] not in LIVE]
    assert revived == [
        (DeliveryState.PUBLISHED, Event.SETTLE),
        (DeliveryState.PUBLISHED, Event.CONTINUE),
        (DeliveryState.PUBLISHED, Event.CORRECT),
        (DeliveryState.CANCELLED, Event.HOLD),
    ]


def test_a_live_state_has_a_way_out() -> None:
    """Every live delivery can be ended, so that its thread can be given to the channel anew."""
    for state in LIVE:
        reached = {state}
        for _ in DeliveryState:
            reached |= {target for (source, _), target in TRANSITIONS.items() if source in reached}
        assert reached - LIVE


def test_a_person_asks_for_nothing_that_the_publisher_decides() -> None:
    """Once a delivery has begun a person can stop it, give it up, or have it tried at once."""
    assert REQUESTS & set(allowed(DeliveryState.PUBLISHING)) == {Event.STOP, Event.CANCEL, Event.RETRY}


@pytest.mark.parametrize("code", Code)
def test_only_what_waits_to_be_mended_is_tried_at_once(code: Code) -> None:
    """Of what has begun, what the network asked to wait goes on by itself, not a moment before."""
    if code in MENDABLE:
        assert request(DeliveryState.PUBLISHING, Event.RETRY, code=code).reason == ""
    else:
        with pytest.raises(NotAllowedError, match="goes on by itself"):
            request(DeliveryState.PUBLISHING, Event.RETRY, code=code)


SENT = Sent("7", None)


def change(event: Event, post: PostState, why: str, code: Code, **more: Any) -> Change:
    """A change that ends the lease, with a reason."""
    return Change(event, post, why, **{"due": None, "keeps_lease": False, "code": code, **more})


wait = partial(change, Event.WAIT, PostState.PLANNED)
seek = partial(change, Event.SEEK, PostState.UNKNOWN)
doubt = partial(change, Event.DOUBT, PostState.UNKNOWN)
resend = partial(change, Event.RESEND, PostState.PLANNED, keeps_lease=True)


@pytest.mark.parametrize(
    ("outcome", "last", "expected"),
    [
        (SENT, False, Change(Event.GO_ON, PostState.SENT, "", None, keeps_lease=True, sent=SENT)),
        (SENT, True, Change(Event.FINISH, PostState.SENT, "", None, keeps_lease=False, sent=SENT)),
        (Throttled(NOON + MINUTE, "slow"), False, wait("slow", Code.THROTTLED, due=NOON + MINUTE)),
        (Throttled(NOON - MINUTE, "slow"), True, wait("slow", Code.THROTTLED, due=NOON + SHORTEST_WAIT)),
        (Unreached("no route"), True, wait("no route", Code.UNREACHED, due=NOON + 4 * FIRST_DELAY)),
        (Refused("no"), True, change(Event.REFUSE, PostState.REFUSED, "no", Code.OTHER)),
        (Unknown("no answer"), False, doubt("no answer", Code.UNANSWERED)),
    ],
)
def test_what_follows_from_each_outcome(outcome: Outcome, last: bool, expected: Change) -> None:
    """Each outcome has one consequence, for post and delivery together."""
    assert decide(outcome, last=last, tries=3, now=NOON, chance=1) == expected


@pytest.mark.parametrize("outcome", [SENT, Throttled(NOON, ""), Unreached(""), Refused(""), Unknown("")])
@pytest.mark.parametrize("last", [True, False])
def test_every_decision_is_possible(outcome: Outcome, last: bool) -> None:
    """What is decided of a delivery under way is always in the table."""
    found = decide(outcome, last=last, tries=1, now=NOON, chance=0)
    assert found.keeps_lease == (found.event is Event.GO_ON)
    assert decide(outcome, last=last, tries=1, now=NOON, chance=0, gap=-MINUTE) == found
    assert (follow(DeliveryState.PUBLISHING, found.event) is DeliveryState.PUBLISHING) == (
        found.event in {Event.GO_ON, Event.WAIT}
    )


SETTLING = Settling(first_look=MINUTE, apart=2 * MINUTE, misses=2, key_life=30 * MINUTE)


@pytest.mark.parametrize(
    ("began", "due"),
    [(None, NOON + MINUTE), (NOON - MINUTE / 2, NOON + MINUTE / 2), (NOON - 5 * MINUTE, NOON)],
)
def test_an_unknown_post_is_looked_for(began: datetime | None, due: datetime) -> None:
    """A post that may be out is looked for, once the server had its time; nothing is sent meanwhile."""
    unknown = Unknown("no answer")
    found = decide(unknown, last=True, tries=1, now=NOON, chance=0, settling=SETTLING, began=began)
    assert found == seek("no answer", Code.UNANSWERED, due=due)


def test_a_stray_post_is_a_persons() -> None:
    """A post that is out in the wrong place is not looked for, and not sent again."""
    stray = Unknown("it is out elsewhere", "17")
    found = decide(stray, last=True, tries=1, now=NOON, chance=0, settling=SETTLING)
    assert found == doubt("it is out elsewhere", Code.UNANSWERED)


HOUR = 60 * MINUTE
RESEND = resend(NOT_THERE, Code.NOT_THERE)
LATER = NOON + timedelta(seconds=16)


@pytest.mark.parametrize(
    ("look", "since", "misses", "resends", "expected"),
    [
        (SENT, HOUR, 1, False, Change(Event.GO_ON, PostState.SENT, "", None, keeps_lease=True, sent=SENT)),
        (Absent(), MINUTE, 0, False, RESEND),
        (Absent(), HOUR, 1, False, RESEND),
        (Absent(), HOUR, 0, False, seek(ONCE_MORE, Code.ONCE_MORE, due=NOON + 2 * MINUTE, misses=1)),
        (
            *(Throttled(NOON + HOUR, "slow"), HOUR, 1, False),
            seek("slow", Code.THROTTLED, due=NOON + HOUR, misses=1),
        ),
        (Unreached("no route"), HOUR, 1, False, seek("no route", Code.UNREACHED, due=LATER, misses=1)),
        (Blind("protected"), HOUR, 0, False, doubt("protected", Code.BLIND)),
        (Blind("two of them", seen=True), HOUR, 0, True, doubt("two of them", Code.BLIND)),
        (Blind("protected"), HOUR, 0, True, resend("protected", Code.BLIND)),
    ],
)
def test_what_follows_from_each_look(
    look: Look, since: timedelta, misses: int, resends: bool, expected: Change
) -> None:
    """What is found is recorded; what certainly is not there is sent again; else nobody sends blindly."""
    settling = replace(SETTLING, resend=resends)
    found = settle(look, settling=settling, since=NOON - since, misses=misses, last=False, now=NOON, chance=1)
    assert found == expected
    assert follow(DeliveryState.PUBLISHING, found.event) in {DeliveryState.PUBLISHING, DeliveryState.UNSURE}


def test_a_gap_between_posts() -> None:
    """Where posts are spaced out, a chain gives its lease up after each, and goes on when the gap is over."""
    spaced = decide(SENT, last=False, tries=1, now=NOON, chance=0, gap=MINUTE)
    assert spaced == Change(Event.GO_ON, PostState.SENT, "", NOON + MINUTE, keeps_lease=False, sent=SENT)


@pytest.mark.parametrize("outcome", [SENT, Throttled(NOON, ""), Unreached(""), Refused(""), Unknown("")])
def test_a_gap_is_for_what_goes_on(outcome: Outcome) -> None:
    """After the last post, or one that did not go out, a gap changes nothing."""
    plain, spaced = (
        decide(outcome, last=outcome is SENT, tries=1, now=NOON, chance=0, gap=gap)
        for gap in (timedelta(0), MINUTE)
    )
    assert plain == spaced


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (1000, 900), (10**9, 900)]
)
def test_the_delay_doubles_up_to_a_limit(tries: int, seconds: int) -> None:
    """Each failed try waits twice as long as the one before, at most a quarter of an hour."""
    assert retry_delay(tries, chance=1) == timedelta(seconds=seconds)
    assert retry_delay(tries, chance=0) == timedelta(seconds=seconds) / 2
    assert retry_delay(tries, chance=0.5) <= LONGEST_DELAY


@pytest.mark.parametrize("event", [Event.GO_ON, Event.WAIT, Event.SEEK])
def test_a_stop_is_heeded(event: Event) -> None:
    """Where a person asked to stop, the post is written as it is, and its chain stops."""
    going_on = Change(event, PostState.SENT, "why", NOON, keeps_lease=True, sent=SENT, misses=1)
    stopped = change(Event.STOP, PostState.SENT, BY_PERSON, Code.PERSON, sent=SENT, misses=1)
    assert heed(Code.PERSON, going_on) == stopped
    assert heed(Code.NONE, going_on) is going_on


def test_a_stop_is_heeded_before_a_post_is_sent_again() -> None:
    """A post that was looked for is planned anew, and the wish to stop is kept until it would be sent."""
    again = Change(Event.RESEND, PostState.PLANNED, NOT_THERE, None, keeps_lease=True, code=Code.NOT_THERE)
    assert heed(Code.PERSON, again) == replace(again, reason=STOPPING, code=Code.PERSON)


@pytest.mark.parametrize("event", [Event.FINISH, Event.REFUSE, Event.DOUBT])
def test_a_chain_that_ends_is_not_stopped(event: Event) -> None:
    """What ends a chain, or stops it for another reason, is written though a person asked to stop it."""
    ending = Change(event, PostState.SENT, "why", None, keeps_lease=False)
    assert heed(Code.PERSON, ending) is ending


@pytest.mark.parametrize("state", PostState)
def test_an_interrupted_post_may_be_out(state: PostState) -> None:
    """A post is in doubt for its next worker where its call had begun and no answer was written."""
    assert interrupted(state) == (state in {PostState.SENDING, PostState.UNKNOWN})


def diagrams() -> Iterator[str]:
    """The table as two Mermaid state diagrams, the pictures in docs/reference/states.md.

    https://mermaid.js.org/syntax/stateDiagram.html
    """
    # `finish` of a chain that stopped follows from what a person said of its post.
    by_hand = {
        ends for ends in TRANSITIONS if ends[1] in _WISHES or (ends[1] is Event.FINISH and ends[0] in STOPPED)
    }
    for title, by_worker in (("What a worker does", True), ("What a person asks for", False)):
        lines = ["stateDiagram-v2", f"    accTitle: {title}"]
        if by_worker:
            lines += [f"    [*] --> {state}" for state in BEGINNINGS]
        lines += [
            f"    {ends[0]} --> {target}: {ends[1]}"
            for ends, target in TRANSITIONS.items()
            if (ends not in by_hand) is by_worker
        ]
        if not by_worker:
            lines += [f"    {state} --> [*]" for state in DeliveryState if not allowed(state)]
        yield "\n".join(lines) + "\n"


def test_the_page_shows_the_table() -> None:
    """The diagrams in docs/reference/states.md are those that the table gives."""
    page = (Path(__file__).parents[2] / "docs/reference/states.md").read_text(encoding="utf-8")
    assert re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL) == list(diagrams())
