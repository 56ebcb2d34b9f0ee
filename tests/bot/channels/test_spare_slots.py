"""What is said beside takes what publishing leaves, and its turn where that leaves nothing for long."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.bot.channels.telegram.pace import PER_BOT, BotPace, SpareSlots

START = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
SLOT = timedelta(seconds=1 / PER_BOT)
MILLISECOND = timedelta(milliseconds=1)
PATIENCE = timedelta(seconds=5)


def test_at_once_where_nobody_publishes() -> None:
    """A bot that publishes nothing answers at once."""
    spare = SpareSlots(BotPace())
    assert spare.ready_at("chat", START, START) == START
    assert spare.ready_at("chat", START + SLOT, START) == START + SLOT


def full(shared: BotPace) -> datetime:
    """Publish in every slot of a second; the time of the last of them."""
    for number in range(int(PER_BOT)):
        shared.begun("news", START + number * SLOT)
    return START + (int(PER_BOT) - 1) * SLOT


def test_beside_one_that_publishes() -> None:
    """An answer goes at once while the second has room for it, and takes nobody's slot by asking."""
    shared = BotPace()
    spare = SpareSlots(shared)
    assert shared.ready_at("news", START, START) == START
    assert spare.ready_at("chat", START, START) == START
    assert shared.ready_at("masto", START, START) == START + SLOT


def test_in_a_full_second() -> None:
    """Where thirty went out within a second, an answer waits until the first of them is a second ago."""
    shared = BotPace()
    now = full(shared)
    assert SpareSlots(shared).ready_at("chat", now, now) == START + timedelta(seconds=1)


def test_patience_has_an_end() -> None:
    """Where publishing leaves no room for five seconds, an answer takes its turn; the next waits again."""
    shared = BotPace()
    spare = SpareSlots(shared, PATIENCE)
    now = begun = full(shared)
    while now <= begun + PATIENCE:
        assert spare.ready_at("chat", now, now) > now
        now += SLOT
        shared.begun("news", now)
    turn = spare.ready_at("chat", now, now)
    assert timedelta(0) <= turn - (now + SLOT) < MILLISECOND
    assert shared.ready_at("masto", now, now) == turn + SLOT  # it is promised
    spare.begun("chat", turn)
    assert spare.ready_at("chat", turn, turn) > turn


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 9), st.booleans(), st.integers(0, 40), st.integers(0, 500)),
        max_size=80,
    )
)
def test_asking_beside_changes_nothing(asked: list[tuple[bool, int, bool, int, int]]) -> None:
    """However many answers look for a slot, publishing gets the same slots as without them."""
    alone, shared = BotPace(), BotPace()
    spare = SpareSlots(shared, timedelta(days=1))
    now = START
    for publishes, chat, uses, milliseconds, ahead in asked:
        earliest = now + ahead * MILLISECOND
        if publishes:
            slot = alone.ready_at(chat, earliest, now)
            assert shared.ready_at(chat, earliest, now) == slot
            if uses and slot <= now:
                alone.begun(chat, now)
                shared.begun(chat, now)
        else:
            assert spare.ready_at(("chat", chat), earliest, now) >= earliest
        now += milliseconds * MILLISECOND
