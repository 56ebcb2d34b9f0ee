"""Fixtures of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with TelegramServer() as telegram, MastodonServer() as mastodon:
        house = House(tmp_path, telegram, mastodon)
        # The owner's chat with the bot, where posts of unknown fate are looked at.
        house.env["THREADCAST_TELEGRAM__ADMINS"] = str(telegram.add_chat("private").id)
        house.env["THREADCAST_TELEGRAM__RATE"] = "1000"
        yield house
