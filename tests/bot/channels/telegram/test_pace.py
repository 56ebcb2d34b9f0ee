"""How fast a Telegram chat is written to, case by case."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.telegram.pace import BotPace, TelegramPace
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # where a window of statuses begins
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

OUT = Sent("1", None)
WAIT = Throttled(NOON, "asks to wait")
LOST = Unknown("no answer")


def chat(rate: float = 1, *, group: bool = False, remembered: float | None = None) -> TelegramPace:
    return TelegramPace(rate, group=group, shared=BotPace(1000), remembered=remembered)


def sends(pace: Pace, count: int, now: datetime = NOON, outcomes: Iterable[Outcome] = ()) -> list[datetime]:
    """When that many posts go, each as soon as it may; `outcomes` of the first ones, then all are sent."""
    given = iter(outcomes)
    went = []
    for _ in range(count):
        while (at := pace.ready_at(now)) > now:
            now = at
        pace.begun(now)
        pace.ended(next(given, OUT), now)
        went.append(now)
    return went


def seconds(moments: list[datetime]) -> list[float]:
    return [round((moment - NOON) / SECOND, 2) for moment in moments]


class TestTelegram:
    def test_a_chain(self) -> None:
        """A rested chat takes three messages at once, and one a second from then on."""
        assert seconds(sends(chat(), 6)) == [0, 0, 0, 1, 2, 3]

    def test_another_rate(self) -> None:
        """The rate is the owner's to set, for a server of their own."""
        assert seconds(sends(chat(100), 6)) == [0, 0, 0, 0.01, 0.02, 0.03]
        assert seconds(sends(chat(0.1), 5)) == [0, 0, 0, 10, 20]

    def test_rest_earns_it_back(self) -> None:
        """What a chat takes at once comes back with rest, and no more than that."""
        pace = chat()
        sends(pace, 3)
        assert seconds(sends(pace, 4, NOON + MINUTE)) == [60, 60, 60, 61]

    def test_a_fall(self) -> None:
        """After a 429 a chat goes half as fast, one message at a time."""
        pace = chat()
        assert seconds(sends(pace, 3, outcomes=[OUT, WAIT])) == [0, 0, 2]
        assert pace.rate == pytest.approx(0.52)
        assert pace.ready_at(NOON + HOUR) == NOON + HOUR
        assert len({*sends(pace, 3, NOON + HOUR)}) == 3

    def test_it_climbs_again(self) -> None:
        """Each message that goes out wins a little back, up to the rate that the owner set."""
        pace = chat()
        sends(pace, 1, outcomes=[WAIT])
        rates = []
        for _ in range(30):
            sends(pace, 1, NOON + HOUR)
            assert pace.rate is not None
            rates.append(round(pace.rate, 2))
        assert rates[:3] == [0.52, 0.54, 0.56]
        assert rates[24:] == [1] * 6

    def test_no_leap_at_the_end_of_the_climb(self) -> None:
        """A chat that has all its pace again, in the middle of a chain, goes evenly until it had a rest."""
        pace = chat(remembered=0.98)
        went = sends(pace, 5)
        assert pace.rate == 1
        assert all(later - earlier >= SECOND for earlier, later in pairwise(went))
        assert seconds(sends(pace, 3, NOON + HOUR)) == [3600] * 3

    def test_it_does_not_come_to_a_stop(self) -> None:
        """However often a chat asks to wait, it is tried again: a message in 32 seconds."""
        pace = chat()
        sends(pace, 50, outcomes=[WAIT] * 50)
        assert pace.rate == 1 / 32

    def test_what_is_remembered(self) -> None:
        """A rate that was learned outlives a restart; where nothing was learned, nothing is remembered."""
        pace = chat()
        rates = [pace.rate]
        sends(pace, 20)
        rates.append(pace.rate)
        sends(pace, 2, outcomes=[WAIT, WAIT])
        rates.append(pace.rate)
        assert rates == [None, None, 0.25]
        assert chat(remembered=0.25).rate == 0.25
        assert seconds(sends(chat(remembered=0.25), 2)) == [0, 3.7]

    @pytest.mark.parametrize(
        ("remembered", "rate"), [(0, 1 / 32), (-1, 1 / 32), (float("nan"), 1 / 32), (50, 1), (1, 1)]
    )
    def test_what_was_remembered_wrongly(self, remembered: float, rate: float) -> None:
        """A remembered rate is brought into bounds: the owner may have set another one meanwhile."""
        assert chat(remembered=remembered).rate == rate

    def test_other_outcomes(self) -> None:
        """A post that was refused, did not arrive or is in doubt says nothing about the pace."""
        pace = chat()
        sends(pace, 3, outcomes=[Refused("no"), Unreached("down"), LOST])
        assert pace.rate is None

    def test_a_group(self) -> None:
        """A group takes 20 messages in a minute, the way there allowed for."""
        went = seconds(sends(chat(group=True), 41))
        assert went[:20] == [0, 0, 0, *range(1, 18)]
        assert went[20:24] == [61, 61, 61, 62]
        assert went[40] == 122

    def test_a_clock_that_steps_back(self) -> None:
        """After the clock stepped back, a chat waits as long as after a burst, not until the old time."""
        pace = chat(group=True)
        sends(pace, 30)
        (went,) = sends(pace, 1, NOON - HOUR)
        assert went <= NOON - HOUR + timedelta(seconds=61)
        bot = BotPace()
        bot.begun("a", NOON)
        assert bot.ready_at("b", NOON - HOUR, NOON - HOUR) == NOON - HOUR
        assert bot.ready_at("c", NOON + HOUR, NOON + HOUR) == NOON + HOUR
        assert bot.ready_at("c", NOON, NOON) == NOON + SECOND / 30

    def test_one_bot(self) -> None:
        """The chats of one bot that come at one moment go one after the other, 30 in a second."""
        bot = BotPace()
        paces = [TelegramPace(1, group=False, shared=bot) for _ in range(60)]
        slots = sorted(pace.ready_at(NOON) for pace in paces)
        assert slots[0] == NOON
        assert slots[30] - NOON == pytest.approx(SECOND, abs=timedelta(milliseconds=1))
        assert [pace.ready_at(NOON) for pace in paces] == slots

    def test_a_slot_that_is_not_used(self) -> None:
        """Whoever does not use its slot gets another one later, and holds up nobody."""
        bot = BotPace()
        assert bot.ready_at("a", NOON, NOON) == NOON
        later = NOON + 2 * SECOND
        assert bot.ready_at("b", later, later) == later
        assert bot.ready_at("a", later, later) == later + SECOND / 30

    def test_a_slot_before_a_promised_one(self) -> None:
        """A slot between two others is used where there is space for it."""
        bot = BotPace(10)
        assert bot.ready_at("late", NOON + SECOND, NOON) == NOON + SECOND
        assert bot.ready_at("soon", NOON, NOON) == NOON
        assert bot.ready_at("next", NOON, NOON) == NOON + SECOND / 10
        assert bot.ready_at("later", NOON + SECOND, NOON) == NOON + SECOND * 1.1

    def test_a_slot_kept(self) -> None:
        """Whoever comes a moment late for its slot goes at once, and not behind those who wait."""
        bot = BotPace(10)
        slots = [bot.ready_at(chat, NOON, NOON) for chat in "abc"]
        late = slots[1] + SECOND / 50
        assert bot.ready_at("b", late, late) == slots[1]
        assert bot.ready_at("b", late + SECOND, late) == late + SECOND

    def test_many_that_come_late(self) -> None:
        """After the service was held up for a moment the bot catches up, and overdoes no second."""
        bot = BotPace()
        slots = {chat: bot.ready_at(chat, NOON, NOON) for chat in range(120)}
        went: list[datetime] = []
        for chat, slot in slots.items():
            held_up = NOON + SECOND < slot <= NOON + 1.9 * SECOND
            now = max([NOON + 1.9 * SECOND if held_up else slot, *went[-1:]])
            while (ready := bot.ready_at(chat, now, now)) > now:
                now = ready
            bot.begun(chat, now)
            went.append(now)
        assert all(later - now >= SECOND for now, later in zip(went, went[30:], strict=False))
        assert went[-1] - slots[119] < SECOND / 10

    def test_room(self) -> None:
        """A chain may begin at once, and its end is told by the rate of now."""
        assert chat().room(30, NOON).ends == NOON + 30 * SECOND
        assert chat(remembered=0.5).room(30, NOON).ends == NOON + MINUTE
        room = chat(group=True).room(30, NOON)
        assert (room.at, room.ends, room.reason) == (NOON, NOON + 1.5 * timedelta(seconds=61), "")
