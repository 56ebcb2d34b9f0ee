from collections.abc import Iterator

import httpx
import pytest

from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, HandClock, caller


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def server(clock: HandClock) -> Iterator[TelegramServer]:
    with TelegramServer(clock=clock) as server:
        server.add_bot()
        yield server


@pytest.fixture
def chat(server: TelegramServer) -> Chat:
    return server.add_chat(username="news")


@pytest.fixture
def ada(server: TelegramServer) -> Person:
    """A person who pressed Start; the bot took note."""
    ada = server.person("Ada", user_id=1111, language="de")
    ada.starts()
    server.api.updates.waiting.clear()
    return ada


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def call(server: TelegramServer, http: httpx.Client) -> Call:
    return caller(server, http)
