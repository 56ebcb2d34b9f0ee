from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import telegram

from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.wire import Call, HandClock, caller
from threadcast.bot.channels.telegram.client import make_bot


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


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[telegram.Bot]:
    async with make_bot(TOKEN, api_url=server.url) as bot:
        yield bot
