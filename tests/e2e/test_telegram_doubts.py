"""What becomes of Telegram posts of unknown fate, on the real service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

pytestmark = pytest.mark.e2e
LONG = 60.0  # seconds: two looks, a second apart, on a machine that has much to do


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with TelegramServer() as telegram, MastodonServer() as mastodon:
        yield House(tmp_path, telegram, mastodon)


def posts(house: House) -> list[str]:
    return [message.text for message in house.telegram.seen(house.chat)]


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
