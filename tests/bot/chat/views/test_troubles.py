"""A channel's trouble is told once, and once that it is over; what was foreseen is none."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import BERLIN, NOW, delivery
from threadcast.bot.chat.views.message import visible
from threadcast.bot.chat.views.troubles import LONG, Troubles
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState

MINUTE = timedelta(minutes=1)
AWAY = "the network cannot be reached"


def waits(number: int, at: datetime, span: timedelta, *, sent: int = 0, channel: str = "news") -> Delivery:
    return delivery(number, channel, reason=AWAY, due=at + span, sent=sent)


def told(troubles: Troubles, one: Delivery, now: datetime) -> str:
    say = troubles.see(one, now)
    said = say() if say else None
    return "" if said is None else visible(said.text)


def test_told_once_and_back_once() -> None:
    """After five minutes of waiting it is told, once; and once that the channel is back, quietly."""
    troubles = Troubles(BERLIN)
    assert told(troubles, waits(7, NOW, MINUTE, sent=3), NOW) == ""
    assert told(troubles, waits(7, NOW + 4 * MINUTE, MINUTE, sent=3), NOW + 4 * MINUTE) == ""
    assert told(troubles, waits(7, NOW + 6 * MINUTE, MINUTE, sent=3), NOW + 6 * MINUTE) == (
        "⚠️ news has trouble since 12:00: the network cannot be reached\n"
        "Nothing is lost: #7 goes on by itself, next try 12:07."
    )
    assert told(troubles, waits(7, NOW + 9 * MINUTE, MINUTE, sent=3), NOW + 9 * MINUTE) == ""
    assert told(troubles, delivery(7, sent=3), NOW + 10 * MINUTE) == ""  # a try is no success
    say = troubles.see(delivery(7, sent=4), NOW + 11 * MINUTE)
    back = say() if say else None
    assert back is not None
    assert back.quiet
    assert visible(back.text) == "✅ news is back again, after 11 min."
    assert told(troubles, delivery(7, sent=5), NOW + 12 * MINUTE) == ""


def test_a_long_wait_is_told_at_once() -> None:
    """A network that asks to wait for long is told when it does, without a beginning in the past."""
    said = told(Troubles(BERLIN), waits(7, NOW, 6 * MINUTE), NOW)
    assert said.startswith("⚠️ news has trouble: ")


def test_what_an_owner_has_to_mend_is_told_at_once() -> None:
    """A fault of the channel is told with what goes on at once when it is mended."""
    fault = replace(waits(7, NOW, MINUTE), code=Code.TOKEN)
    assert told(Troubles(BERLIN), fault, NOW).endswith(
        "#7 goes on by itself, next try 12:01; once it is mended, at once by /retry 7."
    )


def test_a_short_trouble_is_not_told() -> None:
    """What is over before five minutes have passed is told neither then nor later."""
    troubles = Troubles(BERLIN)
    assert told(troubles, waits(7, NOW, MINUTE), NOW) == ""
    assert told(troubles, delivery(7, sent=1), NOW + MINUTE) == ""
    assert told(troubles, waits(7, NOW + 20 * MINUTE, MINUTE, sent=1), NOW + 20 * MINUTE) == ""


def test_another_thread_proves_that_a_channel_is_back() -> None:
    """Where the thread that waited has failed, the next post of another one tells that it is over."""
    troubles = Troubles(BERLIN)
    assert told(troubles, waits(7, NOW, 6 * MINUTE, sent=5), NOW)
    assert told(troubles, delivery(7, state=DeliveryState.FAILED, sent=5), NOW + MINUTE) == ""
    assert told(troubles, delivery(8), NOW + MINUTE) == ""
    assert told(troubles, delivery(8, sent=1), NOW + MINUTE).startswith("✅")


def test_a_trouble_that_ended_otherwise_is_forgotten() -> None:
    """Where a thread was cancelled while it waited, a later trouble has a beginning of its own."""
    troubles = Troubles(BERLIN)
    assert told(troubles, waits(7, NOW, MINUTE), NOW) == ""
    later = NOW + timedelta(days=7)
    assert told(troubles, waits(8, later, MINUTE), later) == ""
    assert told(troubles, waits(8, later + LONG, MINUTE), later + LONG).startswith(
        "⚠️ news has trouble since 12:00: "
    )


def test_a_trouble_that_was_told_goes_on() -> None:
    """Where the next thread waits as well, it is the same trouble."""
    troubles = Troubles(BERLIN)
    assert told(troubles, waits(7, NOW, 6 * MINUTE), NOW)
    assert told(troubles, waits(8, NOW, 6 * MINUTE), NOW + MINUTE) == ""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["news", "masto"]),
        st.sampled_from([(AWAY, Code.UNREACHED), ("", Code.NONE), ("waits for room: 12 more", Code.ROOM)]),
        st.integers(-5, 20),  # minutes until the next try
        st.booleans(),  # whether a post went out
        st.integers(0, 10),  # minutes until then
    ),
    max_size=30,
)


@given(STEPS)
def test_however_channels_fare(steps: list[tuple[str, tuple[str, Code], int, bool, int]]) -> None:
    """On each channel, trouble and return are told in turn; never for a wait that was foreseen."""
    troubles = Troubles(BERLIN)
    now = NOW
    sent = {"news": 0, "masto": 0}
    last = {"news": "✅", "masto": "✅"}
    for channel, (reason, code), ahead, went, minutes in steps:
        now += minutes * MINUTE
        sent[channel] += went
        due = now + ahead * MINUTE
        said = told(
            troubles, delivery(7, channel, reason=reason, code=code, due=due, sent=sent[channel]), now
        )
        if said:
            assert channel in said
            assert said[0] != last[channel][0]
            last[channel] = said
            assert went or not said.startswith("✅")
        if said.startswith("⚠️"):
            assert reason == AWAY
            assert due > now
