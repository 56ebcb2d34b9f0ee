"""The chat shares the bot's messages a second with publishing, and never takes one of publishing's."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bot.chat.stand import CHANNEL, Stand, standing
from tests.bot.chat.test_updates import add, wait_until_told
from threadcast.bot.channels.telegram.pace import PER_BOT, BotPace, SpareSlots, TelegramPace
from threadcast.queue.outcomes import Sent

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MOST = int(PER_BOT)
SLACK = timedelta(milliseconds=1)  # what rounding takes: three slots are not quite a tenth of a second


def played(channels: int, *, chat: bool, seconds: int = 60) -> tuple[list[datetime], list[datetime]]:
    """When so many busy channels send, and when a chat does in which somebody always wants something."""
    shared = BotPace()
    paces = [TelegramPace(1.0, group=False, shared=shared) for _ in range(channels)]
    talk = TelegramPace(1.0, group=False, shared=SpareSlots(shared))
    posts: list[datetime] = []
    answers: list[datetime] = []
    due = dict.fromkeys(paces, NOON) | ({talk: NOON} if chat else {})
    while (now := min(due.values())) < NOON + timedelta(seconds=seconds):
        pace = min(due, key=lambda one: (due[one], one is talk))
        at = pace.ready_at(now)
        if at > now:
            due[pace] = at
            continue
        pace.begun(now)
        pace.ended(Sent("1", None), now)
        (answers if pace is talk else posts).append(now)
    return posts, answers


def most_in_a_second(moments: list[datetime]) -> int:
    moments = sorted(moments)
    return max(
        sum(one <= other < one + SECOND - SLACK for other in moments[index : index + 2 * MOST])
        for index, one in enumerate(moments)
    )


def test_twenty_busy_channels() -> None:
    """Twenty channels publish as fast beside a chat that never rests, which is answered once a second."""
    alone, _ = played(20, chat=False)
    beside, answers = played(20, chat=True)
    assert len(beside) == len(alone)
    assert len(answers) >= 55
    assert most_in_a_second([*beside, *answers]) <= MOST


def test_more_channels_than_the_bot_has_slots() -> None:
    """Where publishing takes every slot, an answer waits some seconds for its turn, and takes no more."""
    alone, _ = played(40, chat=False)
    beside, answers = played(40, chat=True)
    assert 8 <= len(answers) <= 12
    assert len(beside) >= len(alone) - len(answers)
    assert most_in_a_second([*beside, *answers]) <= MOST


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 45), st.integers(0, 3), st.integers(0, 2**32))
def test_slots_of_any_number_of_chats(channels: int, chats: int, seed: int) -> None:
    """However many publish and talk, and whenever they ask, the bot's limit holds."""
    random, shared = Random(seed), BotPace()  # noqa: S311  # no secret
    everyone: list[object] = [object() for _ in range(channels + chats)]
    spare = [SpareSlots(shared) for _ in range(chats)]
    went: dict[object, list[datetime]] = {one: [] for one in everyone}
    now = NOON
    while now < NOON + 10 * SECOND:
        random.shuffle(everyone)
        for index, one in enumerate(everyone):
            slots = spare[index] if index < chats else shared
            if slots.ready_at(one, now, now) <= now:
                slots.begun(one, now)
                went[one].append(now)
        now += timedelta(milliseconds=random.choice((1, 7, 20)))
    # Who comes a little late for its slot takes it all the same: one more fits into a second then.
    assert most_in_a_second([at for moments in went.values() for at in moments]) <= MOST + 1


def test_slots_of_several_threads() -> None:
    """Threads that ask at one moment are promised different slots, as many as they are."""
    shared = BotPace()
    found: list[datetime] = []
    together = threading.Barrier(8)

    def ask(chats: list[object]) -> None:
        together.wait()
        found.extend(shared.ready_at(chat, NOON, NOON) for chat in chats)

    workers = [threading.Thread(target=ask, args=([object() for _ in range(10)],)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(found)) == len(found) == 80
    seconds, more = divmod(79, int(PER_BOT))
    assert max(found) == NOON + timedelta(seconds=seconds) + more * timedelta(seconds=1 / PER_BOT)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Stand]:
    """A service with twenty channels, at the pace that Telegram allows."""
    given = {"TELEGRAM__RATE": "1", **CHANNEL}
    for number in range(19):
        given |= {
            f"CHANNELS__C{number}__KIND": "telegram",
            f"CHANNELS__C{number}__CHAT": f"@channel_{number}",
        }
    with standing(tmp_path, given) as stand:
        yield stand


def test_answers_while_all_channels_publish(busy: Stand) -> None:
    """While twenty channels publish as fast as they may, the owner is answered before they are through."""
    ada = busy.people["Ada"]
    # Enough for longer than an answer waits: at first every channel sends three at once, and takes all slots.
    add(busy, "".join(f"{number}/ Part {number}.\n" for number in range(1, 13)))
    ada.says("/queue")
    wait_until_told(busy, ada, "Queue")
    busy.server.wait_for(lambda _: all(len(chat.messages) == 12 for chat in busy.channels.values()), 60)
    with busy.server.changed:
        sends = [one.chat_id for one in busy.server.calls if one.method == "sendMessage"]
    assert sends.index(ada.chat.id) < len(sends) - 20
