"""What becomes of Telegram posts of unknown fate, on the real service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.chats import Chat
from tests.servers.telegram.server import TelegramServer

pytestmark = pytest.mark.e2e
LONG = 60.0  # seconds: two looks, a second apart, on a machine that has much to do


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with TelegramServer() as telegram, MastodonServer() as mastodon:
        yield House(tmp_path, telegram, mastodon)


@pytest.fixture
def private(house: House) -> Chat:
    """The owner's private chat with the bot."""
    private = house.telegram.add_chat("private")
    house.env["THREADCAST_TELEGRAM__ADMINS"] = str(private.id)
    house.env["THREADCAST_SETTLE_AFTER"] = "1s"
    return private


def posts(house: House) -> list[str]:
    return [message.text for message in house.telegram.seen(house.chat)]


def test_lost_answers_and_lost_posts(house: House, private: Chat) -> None:
    """A lost answer is found out, a lost post sent again: each post is out once, in order."""
    house.command("add", "--channel", "news", house.write(thread_text(1, 4)))
    released = house.telegram.hold_answer(chat=house.chat)
    with house.running() as service:
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1, LONG)
        house.telegram.lose_answer(chat=house.chat)  # of the second: it is out
        house.telegram.fail(500, chat=house.chat)  # the third: it is not
        released.set()
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 4, LONG)
        assert service.stop() == 0

    assert posts(house) == chain(1, 4)
    assert [message.reply_to for message in house.telegram.seen(house.chat)] == [None, 1, 2, 3]
    left = [message.text for message in house.telegram.seen(private) if "forward_origin" in message.extra]
    assert left == []  # of what was forwarded to be looked at


def test_at_least_once(house: House) -> None:
    """An owner who prefers twice to never is not asked where nobody can look."""
    house.env["THREADCAST_CHANNELS__NEWS__WHEN_UNSURE"] = "resend"
    house.command("add", "--channel", "news", house.write(thread_text(1, 2)))
    house.telegram.lose_answer()
    with house.running() as service:
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 3, LONG)
        assert service.stop() == 0

    first, second = chain(1, 2)
    assert posts(house) == [first, first, second]
