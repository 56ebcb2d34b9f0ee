"""What holds of every pace, whatever a network does."""

from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget, Budgets
from threadcast.bot.channels.mastodon.pace import MastodonPace
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Quota
from threadcast.bot.channels.telegram.pace import BURST, LEAST, BotPace, TelegramPace
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

START = datetime(2026, 3, 2, 11, 47, 13, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)

RATES = st.floats(0.01, 1000)
OUTCOMES = st.sampled_from(
    [
        *[Sent("1", None)] * 5,
        Throttled(START, "wait"),
        Refused("no"),
        Unreached("down"),
        Unknown("lost"),
    ]
)
THINKING = st.integers(0, 2_000_000).map(lambda micro: timedelta(microseconds=micro))
STEPS = st.lists(st.tuples(OUTCOMES, THINKING), max_size=60)


def wait_for(pace: Pace, now: datetime) -> datetime:
    """The first moment at which the pace lets a post go; fails where asking goes in circles."""
    for _ in range(5):
        at = pace.ready_at(now)
        assert at >= now - SECOND
        if at <= now:
            return now
        now = at
    raise AssertionError(f"still not ready at {now}")


def most_within(moments: list[datetime], span: timedelta) -> int:
    """How many of these moments lie in one span, its end not included."""
    most, inside = 0, deque[datetime]()
    for moment in moments:
        inside.append(moment)
        while inside[0] <= moment - span:
            inside.popleft()
        most = max(most, len(inside))
    return most


@settings(deadline=None)
@given(RATES, st.booleans(), STEPS)
def test_a_chat_is_never_flooded(rate: float, group: bool, steps: list[tuple[Outcome, timedelta]]) -> None:
    """A chat gets a small burst and then the rate at the most, a group never more than 20 in a minute."""
    pace = TelegramPace(rate, group=group, shared=BotPace(1000))
    now, went = START, []
    for outcome, thinking in steps:
        now = wait_for(pace, now)
        pace.begun(now)
        went.append(now)
        pace.ended(outcome, now + thinking)
        now += thinking
    for seconds in (1, 7, 30):
        span = seconds * SECOND
        assert most_within(went, span) <= BURST + seconds * rate + 1e-3 * rate
    assert not group or most_within(went, MINUTE) <= 20


@settings(deadline=None)
@given(RATES, st.none() | st.floats(), STEPS)
def test_a_rate_stays_in_bounds(
    rate: float, remembered: float | None, steps: list[tuple[Outcome, timedelta]]
) -> None:
    """A 429 never makes a chat faster, nothing else makes it slower, and it always stays within bounds."""
    pace = TelegramPace(rate, group=False, shared=BotPace(), remembered=remembered)
    now = START
    for outcome, thinking in steps:
        before = pace.rate or rate
        pace.begun(now)
        pace.ended(outcome, now)
        after = pace.rate or rate
        assert rate * LEAST <= after <= rate
        match outcome:
            case Throttled():
                assert after <= before
            case Sent():
                assert after >= before
            case _:
                assert after == before
        now += thinking
    again = TelegramPace(rate, group=False, shared=BotPace(), remembered=pace.rate)
    assert again.rate == pace.rate


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 40), st.integers(0, 1500)), max_size=200
    )
)
def test_a_bot_is_never_flooded(asked: list[tuple[int, bool, int, int]]) -> None:
    """Slots that are promised lie evenly apart, whoever asks when, and whether they use them or not.

    However late they come for them, no more go in any second than may. Where for that one has to wait a
    moment longer, it goes between the others.
    """
    bot = BotPace()
    now = START
    promised: dict[int, datetime] = {}
    went: list[datetime] = []
    for chat, uses, milliseconds, ahead in asked:
        earliest = now + max(0, ahead - 1000) * MILLISECOND
        slot = bot.ready_at(chat, earliest, now)
        assert slot >= earliest or promised.get(chat) == slot >= now - SECOND
        assert slot <= earliest + 42 * SECOND / 30
        squeezed = len(went) >= 30 and slot == went[-30] + SECOND
        promised.pop(chat, None)
        if not squeezed:
            promised[chat] = slot
        standing = sorted(at for at in promised.values() if at > now - SECOND)
        assert all(b - a >= SECOND / 30 for a, b in pairwise(standing))
        if uses and slot <= now:
            bot.begun(chat, now)
            went.append(now)
            promised.pop(chat, None)
        now += milliseconds * MILLISECOND
    assert most_within(went, SECOND) <= 30


@settings(deadline=None)
@given(STEPS, st.timedeltas(-timedelta(days=400), timedelta(days=400)))
def test_a_clock_that_steps(steps: list[tuple[Outcome, timedelta]], leap: timedelta) -> None:
    """Whatever the clock does, a chat never waits longer than after a burst at its lowest rate."""
    pace = TelegramPace(1, group=True, shared=BotPace())
    now = START
    for outcome, thinking in steps:
        now = wait_for(pace, now)
        pace.begun(now)
        pace.ended(outcome, now)
        now += thinking
    assert wait_for(pace, now + leap) <= now + leap + 61 * SECOND + BURST / LEAST * SECOND


class Server:
    """Mastodon's limits, an account with posts on them, and somebody who posts by hand."""

    def __init__(self, budgets: dict[str, Budget]) -> None:
        self.budgets = Budgets({**REAL_BUDGETS, **budgets})
        self.quota: Quota | None = None
        self.limits_posts: bool | None = True
        self.out: list[datetime] = []
        self.refused = 0
        self.others = False

    def pace(self) -> MastodonPace:
        """A pace that knows the limits, and of the rest what a service knows that starts now."""
        limits = {name: self.budgets.left(name, "", START).limit for name in ("statuses", "token")}
        return MastodonPace(self, self.sent_since, statuses=limits["statuses"], requests=limits["token"])

    def tell(self, now: datetime) -> None:
        left = self.budgets.nearest(self.counted, now)
        self.quota = Quota(left.limit, left.remaining, max(left.reset, now + 5 * SECOND))

    counted = (("token", "t"), ("statuses", "a"))

    def post(self, now: datetime, *, answered: bool) -> Outcome:
        taken = all(self.budgets.left(name, whose, now).remaining for name, whose in self.counted)
        for name, whose in self.counted:
            self.budgets.take(name, whose, now)
        if not answered:
            self.out += [now] * taken
            return Unknown("lost")
        self.tell(now)
        if not taken:
            self.refused += 1
            assert self.quota is not None
            return Throttled(self.quota.reset, "wait")
        self.out.append(now)
        return Sent("1", None)

    def tells(self, now: datetime, more: int = 0) -> bool:
        """Whether an answer would tell of statuses, and so of what others did, after so many more of them."""
        requests, statuses = (self.budgets.left(name, whose, now).remaining for name, whose in self.counted)
        return statuses - more < requests

    def by_hand(self, now: datetime) -> None:
        """Somebody posts on the account, and something of ours is answered afterwards."""
        self.others = self.budgets.take("statuses", "a", now)
        self.tell(now)

    def sent_since(self, moment: datetime) -> int:
        return sum(at >= moment for at in self.out)


LITTLE = {"statuses": Budget(30, timedelta(hours=3)), "token": Budget(12, timedelta(minutes=5))}
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["post", "post", "post", "lost", "by hand", "restart"]),
        st.integers(1, 25),
        st.integers(0, 2000),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(DEEDS)
def test_no_429_of_our_making(deeds: list[tuple[str, int, int]]) -> None:
    """However posts, lost answers, posts by hand that we are told of, and restarts follow: no 429."""
    server = Server(LITTLE)
    server.tell(START)  # as the answer to the question for the rules does
    pace = server.pace()
    now = START
    for deed, count, seconds in deeds:
        if deed == "restart":
            if server.tells(now) or not server.others:
                server.tell(now)
                pace = server.pace()
            continue
        for _ in range(count):
            if deed == "by hand":
                if server.tells(now, 1):
                    server.by_hand(now)
            else:
                now = wait_for(pace, now)
                pace.begun(now)
                pace.ended(server.post(now, answered=deed == "post"), now)
            now += SECOND / 3
        now += seconds * SECOND
    assert server.refused == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 11), max_size=12), st.integers(0, 400))
def test_a_chain_that_began_never_waits(chains: list[int], pause: int) -> None:
    """A chain that was let begin goes through without a wait, where nobody else uses the account."""
    server = Server(LITTLE)
    server.tell(START)
    pace = server.pace()
    now = START
    for posts in chains:
        room = pace.room(posts, now)
        assert room.at == now or pace.room(posts, room.at).at == room.at
        now = room.at
        for _ in range(posts):
            assert pace.ready_at(now) <= now
            pace.begun(now)
            pace.ended(server.post(now, answered=True), now)
            now += SECOND
        assert now <= room.ends + SECOND
        now += pause * SECOND
    assert server.refused == 0
