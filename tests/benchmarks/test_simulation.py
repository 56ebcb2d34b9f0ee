"""A small world in fast motion: what holds of many channels holds of some. No figure of time is judged."""

from datetime import timedelta

import pytest

from tests.benchmarks import simulation
from tests.benchmarks.world import BEGIN, Account, Bot, Chat, World
from threadcast.bot.channels.telegram.pace import PER_BOT, BotPace

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted


def test_a_day_of_some_channels() -> None:
    """Each slot of a day starts one thread, none too early, though clocks are set forward; and no 429."""
    late, wrong, throttled = simulation.a_day(500)
    assert (wrong.value, throttled.value) == (0, 0), wrong
    assert late.value >= 0


def test_a_crowd_of_chats() -> None:
    """However late a busy machine lets the chats of a bot come, the bot oversteps its rate in no second."""
    bot, pace = Bot(), BotPace()
    lanes = [simulation.in_chat(f"c{number}", bot, pace, simulation.daily(0)) for number in range(60)]
    World(lanes, simulation.threads(1, parts=2)).run(timedelta(days=1, minutes=10))
    assert sum(len(chat.posts) for chat, _, _ in lanes) == 120
    assert bot.throttled == 0


def test_an_account_uses_what_it_has() -> None:
    """An account with more to post than it may uses its window to the last post, and provokes no 429."""
    assert simulation.an_account(3).met


def test_what_a_network_judges() -> None:
    """A world's networks notice what is one too many: of a bot in a second, of an account in three hours."""
    bot = Bot()
    chat = Chat("news", bot)
    judged = [chat.judged(BEGIN) for _ in range(int(PER_BOT) + 1)]
    assert [one is None for one in judged] == [True] * int(PER_BOT) + [False]
    assert bot.throttled == 1
    account = Account("masto")
    judged = [account.judged(BEGIN + number * timedelta(seconds=2)) for number in range(301)]
    assert [one is None for one in judged] == [True] * 300 + [False]
    assert account.throttled == 1
