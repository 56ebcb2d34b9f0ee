"""How updates come in: in order, each once, whatever Telegram answers and whoever else asks for them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import telegram
from structlog.testing import capture_logs

from tests.bot.chat.stand import Stand, standing
from tests.servers.http import PATIENCE
from tests.servers.telegram.chats import Message
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.chat.updates import LONGEST_PAUSE, Poller
from threadcast.bot.data_folder import open_queue
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.requests import build_requests
from threadcast.queue.states import DeliveryState

THREAD = "1/ The river rises.\n2/ And the sea takes it. /end\n"


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path, {"TELEGRAM__CONFIRM": "false"}) as stand:
        yield stand


def told(person: Person, words: str) -> list[Message]:
    """What the bot told a person with these words in it."""
    return [one for one in person.messages() if one.sender is person.bot and words in one.text]


def wait_until_told(stand: Stand, person: Person, words: str, count: int = 1) -> list[Message]:
    stand.server.wait_for(lambda _: len(told(person, words)) >= count, PATIENCE)
    return told(person, words)


def wait_until_asked(stand: Stand, times: int) -> None:
    """Wait until the bot's updates were asked for so often."""
    stand.server.wait_for(lambda server: sum("getUpdates" in one.path for one in server.requests) >= times)


def wait_until_logged(stand: Stand, logs: "list[Any]", words: str) -> None:
    stand.server.wait_for(lambda _: any(words in one["event"] for one in list(logs)), PATIENCE)


def add(stand: Stand, text: str) -> None:
    """Somebody adds a thread in a shell, beside the service."""

    async def ask() -> None:
        settings = stand.settings
        async with (
            open_queue(settings) as database,
            open_channels(settings, database, stand.clock) as channels,
        ):
            requests = build_requests(settings, database, channels, actor="cli:ada", clock=stand.clock)
            requests.threads.add([understand("rivers.txt", text.encode())])

    asyncio.run(ask())


def put(stand: Stand, kind: str, content: dict[str, Any]) -> int:
    """An update of no person's making."""
    updates = stand.server.api.updates
    with stand.server.changed:
        number = updates.number()
        updates.put(stand.bot, number, kind, content)
        return number


@dataclass
class Alone:
    """A poller with nothing around it: what it hears, how long it rests, what it says of a conflict."""

    server: TelegramServer
    heard: list[int] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    conflicts: list[bool] = field(default_factory=list)
    seconds: float = 0.0

    async def hear(self, update: telegram.Update) -> None:
        self.note(self.heard, update.update_id)

    async def rest(self, seconds: float) -> None:
        self.note(self.rests, seconds)
        await asyncio.sleep(0)

    def conflict(self, there: bool) -> None:
        self.note(self.conflicts, there)

    def note(self, where: list[Any], what: object) -> None:
        with self.server.changed:
            where.append(what)
            self.server.changed.notify_all()

    def timer(self) -> float:
        return self.seconds

    async def listen(self, until: "asyncio.Future[Any]") -> None:
        bot = make_bot(TOKEN, api_url=self.server.url)
        poller = Poller(
            bot,
            self.hear,
            on_ready=lambda: None,
            on_conflict=self.conflict,
            sleep=self.rest,
            timer=self.timer,
        )
        listening = asyncio.create_task(poller.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await until
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await close_bot(bot)


async def until(server: TelegramServer, holds: Callable[[], object]) -> None:
    """Wait for what is to come, while the loop goes on."""
    await asyncio.to_thread(server.wait_for, lambda _: bool(holds()), PATIENCE)


def test_the_network_away(stand: Stand) -> None:
    """What people wrote while the network was away is carried out when it is back, in their order."""
    ada = stand.people["Ada"]
    ada.sends("rivers.txt", THREAD.encode(), "news")
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
    stand.wait_until_heard()
    stand.server.go_dark()
    for command in ("/pause news", "/resume news", "/pause news", "/queue", "/status"):
        ada.says(command)
    stand.server.come_back()
    wait_until_told(stand, ada, "How things stand")
    wait_until_told(stand, ada, "news: paused now", 2)
    said = [one.text.splitlines()[0] for one in told(ada, "")]
    assert said[-5:] == [
        "news: paused now.",
        "news: ready now.",
        "news: paused now.",
        "Nothing waits. Send me a text file, or /add",
        "How things stand",
    ]


def test_the_network_away_for_long() -> None:
    """A poller that reaches nobody asks ever more seldom, but twice a minute; then it hears all."""
    with TelegramServer() as server:
        server.add_bot()
        ada = server.person("Ada", 1111)
        server.go_dark()
        ada.starts()
        alone = Alone(server)

        async def play() -> None:
            async def scene() -> None:
                await until(server, lambda: len(alone.rests) >= 10)
                server.come_back()
                await until(server, lambda: alone.heard)

            await alone.listen(asyncio.ensure_future(scene()))

        with capture_logs() as logs:
            asyncio.run(play())
        assert alone.rests[:7] == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
        assert max(alone.rests) == LONGEST_PAUSE
        assert len(alone.heard) == 1
        said = [entry["event"] for entry in logs if "reached" in entry["event"]]
        assert said == ["Telegram cannot be reached: commands wait there", "Telegram is reached again"]


def test_an_update_that_nobody_can_read(stand: Stand) -> None:
    """What the library cannot read is left out, wherever it stands; what is beside it is carried out."""
    ada = stand.people["Ada"]
    stand.stop()
    put(stand, "message", {"message_id": 7})
    ada.says("/pause news")
    put(stand, "callback_query", {"id": "9", "data": "x"})
    put(stand, "message", {"message_id": "seven", "chat": 8, "date": {}})
    ada.says("/queue")
    put(stand, "my_chat_member", {"chat": []})
    with capture_logs() as logs:
        stand.start()
        wait_until_told(stand, ada, "news: paused now")
        wait_until_told(stand, ada, "Nothing waits")
        stand.wait_until_heard()
        stand.stop()
    assert len(told(ada, "paused now")) == 1
    left_out = [entry for entry in logs if entry["event"] == "an update was left out: it cannot be read"]
    assert len(left_out) == 4


@pytest.mark.parametrize("number", [2**52, -(2**63), 2**64])
def test_ids_that_telegram_does_not_give(stand: Stand, number: int) -> None:
    """An update with an id that no queue can hold is left out and said; the next one is carried out."""
    ada = stand.people["Ada"]
    bot, her, place = stand.bot.to_json(), ada.user.to_json(), ada.chat.to_json()
    members = {
        "old_chat_member": {"user": bot, "status": "left"},
        "new_chat_member": {"user": bot, "status": "member"},
    }
    chat = {"id": number, "type": "channel", "title": "x"}
    with capture_logs() as logs:
        put(stand, "my_chat_member", {"chat": chat, "from": her, "date": 0, **members})
        put(stand, "message", {"message_id": number, "date": 0, "chat": place, "from": her, "text": "x"})
        ada.says("/queue")
        wait_until_told(stand, ada, "Nothing waits")
        stand.wait_until_heard()
    events = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert events == ["an update was left out: Telegram has no such ids"] * 2


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>502</html>", b"[" * 3000, [], {"a": 1}, "x", [7], [{}], [{"update_id": None}], None],
)
def test_odd_answers(stand: Stand, answer: object) -> None:
    """After an answer that is none, people are heard as before."""
    ada = stand.people["Ada"]
    stand.server.replace_answer(
        answer if isinstance(answer, bytes) else {"ok": True, "result": answer}, method="getUpdates"
    )
    ada.says("/pause news")
    ada.says("/queue")
    wait_until_told(stand, ada, "Nothing waits")
    assert len(told(ada, "news: paused now")) == 1


def test_another_program(stand: Stand) -> None:
    """Where another program takes the updates, the log and one message to the owner say so, once."""
    ada = stand.people["Ada"]

    async def take() -> None:
        bot = make_bot(TOKEN, api_url=stand.server.url)
        await bot.get_updates(timeout=0)
        await close_bot(bot)

    with capture_logs() as logs:
        wait_until_asked(stand, 1)
        asyncio.run(take())
        wait_until_told(stand, ada, "Another program takes this bot's updates")
        wait_until_asked(stand, 3)
        asyncio.run(take())
        ada.says("/queue")
        wait_until_told(stand, ada, "Nothing waits")
    assert len(told(ada, "Another program")) == 1
    assert [one["event"][:15] for one in logs if one["log_level"] == "error"] == ["another program"]


def test_the_other_program_ends() -> None:
    """Two who ask take turns for a while: only after two quiet minutes it is said that the other is gone."""
    with TelegramServer() as server:
        server.add_bot()
        ada = server.person("Ada", 1111)
        alone = Alone(server)

        async def play() -> None:
            other = make_bot(TOKEN, api_url=server.url)

            async def scene() -> None:
                polls = sum("getUpdates" in one.path for one in server.requests)
                await until(server, lambda: sum("getUpdates" in one.path for one in server.requests) > polls)
                await other.get_updates(timeout=0)
                await until(server, lambda: alone.conflicts)
                ada.starts()
                await until(server, lambda: alone.heard)
                alone.seconds = 100.0
                ada.says("/queue")
                await until(server, lambda: len(alone.heard) == 2)
                assert alone.conflicts == [True]
                alone.seconds = 121.0
                ada.says("/queue")
                await until(server, lambda: len(alone.conflicts) == 2)

            await alone.listen(asyncio.ensure_future(scene()))
            await close_bot(other)

        asyncio.run(play())
        assert alone.conflicts == [True, False]


def test_a_webhook_that_was_left(tmp_path: Path) -> None:
    """A webhook that somebody set before is taken away, and what waits for it is heard."""
    with standing(tmp_path, {}) as stand:
        ada = stand.people["Ada"]
        stand.stop()
        with stand.server.changed:
            stand.server.api.webhooks[stand.bot.id] = "https://elsewhere.example/hook"
        ada.says("/pause news")
        stand.start()
        wait_until_told(stand, ada, "news: paused now")
        assert not stand.server.api.webhooks


def test_a_bad_token(tmp_path: Path) -> None:
    """A token that Telegram does not accept is said once; the other channels publish all the same."""
    given = {"CHANNELS__PAGE__KIND": "local"}
    with capture_logs() as logs, standing(tmp_path, given, bare=True) as stand:
        stand.stop()
        stand.server.revoke()
        stand.start()
        wait_until_logged(stand, logs, "does not accept the bot token")
        assert stand._service is not None
        assert "chat" in stand._service._chat.broken  # and so says /health/ready
        add(stand, THREAD)
        stand.wait_for_state(1, "page", DeliveryState.PUBLISHED)
    said = [one for one in logs if "bot token" in one["event"]]
    assert [one["event"] for one in said] == ["Telegram does not accept the bot token: no commands arrive"]
    assert TOKEN.partition(":")[2] not in str(logs)


def test_a_token_that_is_taken_back(tmp_path: Path) -> None:
    """A token that is revoked while the service runs is said once, and publishing elsewhere goes on."""
    given = {"CHANNELS__PAGE__KIND": "local"}
    with capture_logs() as logs, standing(tmp_path, given, bare=True) as stand:
        stand.people["Ada"].says("/queue")
        wait_until_told(stand, stand.people["Ada"], "Nothing waits")
        stand.server.revoke()
        with stand.server.changed:
            stand.server.api.updates.cut_polls()
        add(stand, THREAD)
        stand.wait_for_state(1, "page", DeliveryState.PUBLISHED)
        wait_until_logged(stand, logs, "does not accept the bot token")
    said = [one["event"] for one in logs if "bot token" in one["event"]]
    assert said == ["Telegram does not accept the bot token: no commands arrive"]
    assert TOKEN.partition(":")[2] not in str(logs)


def test_polling_is_stopped_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that stops interrupts its poll once: twice would leave the connection open."""
    asked: list[int] = []
    confirm = Poller._confirm

    async def confirmed(poller: Poller) -> None:
        task = asyncio.current_task()
        assert task is not None
        await confirm(poller)
        asked.append(task.cancelling())

    monkeypatch.setattr(Poller, "_confirm", confirmed)
    with standing(tmp_path, {}) as stand:
        stand.people["Ada"].says("/status")
        stand.people["Ada"].waits_for(2)
    assert asked == [1]
