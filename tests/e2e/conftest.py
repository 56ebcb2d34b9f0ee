from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with TelegramServer() as telegram, MastodonServer() as mastodon:
        yield House(tmp_path, telegram, mastodon)
