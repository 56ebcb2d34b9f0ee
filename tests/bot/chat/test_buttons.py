"""What a button carries comes back as it went, and a request names the threads that it means."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import CHANNELS, DELIVERIES, THREADS
from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import (
    MANY,
    MOST_BYTES,
    BadDataError,
    Press,
    TooLongError,
    button,
    read_press,
    stamp,
    threads_of,
)
from threadcast.bot.chat.requests import REGISTRY
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState

STAMPS = st.text("0123456789abcdef", min_size=6, max_size=6)
ONE = THREADS.map(lambda one: (one,))
NAMED = CHANNELS.map(lambda one: (one,))
RANGES = st.tuples(THREADS, st.integers(1, MANY)).map(lambda pair: tuple(range(pair[0], sum(pair))))
# What buttons carry: the longest of them are about one thread on one channel, or about many on all.
PRESSES = st.one_of(
    st.builds(Press, st.sampled_from([*REGISTRY]), ONE, NAMED, STAMPS),
    st.builds(Press, st.sampled_from([*REGISTRY]), RANGES, st.just(()), STAMPS),
    st.builds(Press, st.just("at"), RANGES, st.just(("tomorrow", "9:00")), STAMPS),
    st.builds(Press, st.just("leaf"), ONE, NAMED, st.just(""), st.integers(0, 9999)),
    st.builds(
        Press, st.sampled_from(["queue", "history"]), st.just(()), NAMED, st.just(""), st.integers(0, 9999)
    ),
)


@given(PRESSES)
def test_a_press_comes_back(press: Press) -> None:
    """What a button asks for fits into what Telegram keeps of it, and is read back to the same."""
    assert len(press.data().encode()) <= MOST_BYTES
    assert read_press(press.data()) == press


def test_a_button_has_its_limit() -> None:
    """More than Telegram keeps is refused, and not cut: half of the channels would be another request."""
    with pytest.raises(TooLongError):
        button("Go on", "undo-yes", (7,), "n" * 32, "m" * 32)


def test_a_button_carries_its_press() -> None:
    """A button's data is its request."""
    made = button("Go on", "undo-yes", (7, 8), "news", "masto", stamp="abcdef", page=3)
    assert made.label == "Go on"
    assert made.data == "undo-yes|7-8|news masto|abcdef|3"
    assert read_press(made.data) == Press("undo-yes", (7, 8), ("news", "masto"), "abcdef", 3)


@pytest.mark.parametrize(
    "data",
    [
        *("", "hold", "hold|7", "hold|7|||||", "hold|7-|||", "hold|-7|||", "hold|0|||", "hold|8-7|||"),
        *("hold|1-101|||", "hold|1234567890|||", "hold|٧|||", "hold|7|||-1", "hold|7|||1.5", "hold|7|||٣"),
        *("hold|7|||99999", f"hold|7|||{'9' * 5000}"),
    ],
)
def test_other_data_is_odd(data: str) -> None:
    """Data that no button of ours has is told from ours."""
    with pytest.raises(BadDataError):
        read_press(data)


@given(st.text() | st.text("|0123-#a", max_size=20))
def test_any_data_is_a_press_or_odd(data: str) -> None:
    """Whatever a client makes up, it is a request within bounds or an odd one."""
    try:
        press = read_press(data)
    except BadDataError:
        return
    assert 0 <= press.page < 10_000
    assert all(one > 0 for one in press.threads)


@given(RANGES, st.booleans())
def test_threads_of_a_range(threads: tuple[int, ...], hash_sign: bool) -> None:
    """A range, or a number alone, means these threads."""
    written = f"{threads[0]}-{threads[-1]}" if len(threads) > 1 else str(threads[0])
    if len(str(threads[-1])) <= 9:
        assert threads_of(f"{'#' if hash_sign else ''}{written}") == threads


@given(st.text() | st.text("0123456789-,#", max_size=34))
def test_threads_of_any_word(word: str) -> None:
    """Any word means one to a hundred threads, lowest first, which a button can carry, or none."""
    try:
        threads = threads_of(word)
    except ValueError:
        return
    assert 1 <= len(threads) <= MANY
    assert list(threads) == sorted(set(threads))
    assert threads[0] > 0
    assert read_press(Press("other-time", threads, ("tomorrow", "9:00"), "abcdef").data()).threads == threads


@pytest.mark.parametrize(("word", "threads"), [("2,3", (2, 3)), ("7-9,#2", (2, 7, 8, 9)), ("3,3", (3,))])
def test_threads_of_a_list(word: str, threads: tuple[int, ...]) -> None:
    """Numbers with commas between are those threads, each once."""
    assert threads_of(word) == threads


@given(DELIVERIES)
def test_a_stamp_is_how_things_stand(deliveries: list[Delivery]) -> None:
    """However they are ordered, whatever else changes: a stamp tells states, tries, texts, nothing else."""
    turned = [
        replace(one, reason="another", sent=one.posts, rank=one.rank + 1) for one in reversed(deliveries)
    ]
    assert stamp(turned) == stamp(deliveries)
    assert len(stamp(deliveries)) == 6


@given(DELIVERIES.filter(bool), st.data())
def test_a_stamp_changes(deliveries: list[Delivery], data: st.DataObject) -> None:
    """A state or a text that changed, a try that was made, a delivery more or less give another stamp."""
    place = data.draw(st.integers(0, len(deliveries) - 1))
    one = deliveries[place]
    state = data.draw(st.sampled_from([each for each in DeliveryState if each is not one.state]))
    text = replace(one, fingerprint=f"{one.fingerprint}x")
    for changed in (replace(one, state=state), replace(one, fence=one.fence + 1), text):
        assert stamp([*deliveries[:place], changed, *deliveries[place + 1 :]]) != stamp(deliveries)
    assert stamp(deliveries[1:]) != stamp(deliveries)


def test_who_asks() -> None:
    """The audit log has a person's number."""
    assert Sender(1111, -5, Role.OWNER).actor == "telegram:1111"
