"""What a person asked for goes first in their chat; what nobody waits for goes where there is a rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.channels.telegram.pace import BotPace, TelegramPace
from threadcast.bot.chat.outbox import PATIENCE, Outbox
from threadcast.bot.chat.views.message import Message

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Timed:
    """An outbox at a message a second, whose clock goes on while it sleeps and stands still else."""

    def __init__(self, server: TelegramServer) -> None:
        self.seconds = 0.0
        self.bot = make_bot(TOKEN, api_url=server.url)
        self.pace = TelegramPace(1, group=False, shared=BotPace())
        self.outbox = Outbox(self.bot, clock=self.now, pace=lambda _: self.pace, sleep=self.sleep)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    async def took(self, deed: Awaitable[object]) -> float:
        """The seconds that something waits."""
        before = self.seconds
        await deed
        return self.seconds - before


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def ada(telegram: TelegramServer) -> Person:
    telegram.add_bot()
    ada = telegram.person("Ada", 1111)
    ada.starts()
    return ada


def play(server: TelegramServer, scene: Callable[[Timed], Awaitable[None]]) -> None:
    async def run() -> None:
        timed = Timed(server)
        await timed.bot.initialize()
        try:
            await scene(timed)
        finally:
            await close_bot(timed.bot)

    asyncio.run(run())


def test_what_is_patient_waits_for_a_rest(telegram: TelegramServer, ada: Person) -> None:
    """A card is redrawn four messages' time behind an answer, two behind another card; an answer at once."""

    async def scene(timed: Timed) -> None:
        outbox = timed.outbox
        assert await timed.took(outbox.rest(1111)) == 0
        assert await timed.took(outbox.send(1111, Message("an answer"))) == 0
        assert await timed.took(outbox.rest(1111, urgent=True)) == 0
        assert await timed.took(outbox.rest(1111)) == 4
        assert await timed.took(outbox.send(1111, Message("a card"), patient=True)) == 0
        assert await timed.took(outbox.rest(1111)) == 2
        assert await timed.took(outbox.send(1111, Message("an answer"))) == 0

    play(telegram, scene)


def test_what_is_patient_waits_for_answers(telegram: TelegramServer, ada: Person) -> None:
    """While a request is answered nothing patient goes, not what is urgent either; elsewhere it does."""

    async def scene(timed: Timed) -> None:
        outbox = timed.outbox
        with outbox.answering(1111), outbox.answering(1111):
            waiting = asyncio.create_task(outbox.rest(1111, urgent=True))
            await outbox.rest(2222)
            assert outbox.is_asked(1111)
            assert not waiting.done()
        await waiting
        assert not outbox.is_asked(1111)

    play(telegram, scene)


def test_patience_ends(telegram: TelegramServer, ada: Person) -> None:
    """Where somebody asks without a rest, a card is redrawn all the same after a while."""

    async def scene(timed: Timed) -> None:
        async def talk(seconds: float) -> None:
            timed.seconds += min(seconds, 3)
            await timed.outbox.send(1111, Message("an answer"))

        timed.outbox._sleep = talk
        await timed.outbox.send(1111, Message("an answer"))
        assert PATIENCE.total_seconds() <= await timed.took(timed.outbox.rest(1111)) < 130

    play(telegram, scene)


def test_one_refusal_is_what_haste_costs(telegram: TelegramServer, ada: Person) -> None:
    """A chat that asks once to wait keeps its pace; where it asks again at once, it gets slower."""

    async def scene(timed: Timed) -> None:
        telegram.throttle(1)
        assert await timed.took(timed.outbox.send(1111, Message("an answer"))) == 1
        assert timed.pace.rate is None
        telegram.throttle(1)
        telegram.throttle(1)
        assert await timed.took(timed.outbox.send(1111, Message("an answer"))) >= 2
        assert timed.pace.rate is not None

    play(telegram, scene)
