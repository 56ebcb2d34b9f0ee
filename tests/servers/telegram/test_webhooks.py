"""The Bot API test server brings updates to webhooks in order, each until it is taken."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import telegram

from tests.servers.http import Answer, Cut, Held, LoopbackServer, Request, Response
from tests.servers.telegram.calls import WEBHOOK_ACTIVE
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, refusal, result


class Receiver(LoopbackServer):
    """What a service puts behind its webhook: it takes what comes, unless told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[Answer] = deque()
        self.taken: list[Any] = []

    def handle(self, request: Request) -> Answer:
        answer = self.answers.popleft() if self.answers else Response(200)
        if isinstance(answer, Response) and answer.status < 300:
            self.taken.append(request.json)
        return answer

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.taken]


@pytest.fixture
def receiver(server: TelegramServer) -> Iterator[Receiver]:
    server.retry_delay = 0.01
    with Receiver() as receiver:
        yield receiver


async def test_in_order(server: TelegramServer, receiver: Receiver, bot: telegram.Bot, ada: Person) -> None:
    """What waited and what comes is brought in order, with the secret, and is not pending any more."""
    ada.says("one")
    await bot.set_webhook(f"{receiver.url}/hook?a=1", secret_token="s3cret", max_connections=5)
    ada.says("two")
    receiver.wait_for(lambda _: len(receiver.taken) == 2)
    server.wait_for(lambda s: not any(s.api.updates.waiting.values()))

    info = await bot.get_webhook_info()

    assert receiver.texts() == ["one", "two"]
    assert {r.headers["x-telegram-bot-api-secret-token"] for r in receiver.requests} == {"s3cret"}
    assert {(r.method, r.path, r.content_type) for r in receiver.requests} == {
        ("POST", "/hook", "application/json")
    }
    assert (info.url, info.pending_update_count) == (f"{receiver.url}/hook?a=1", 0)
    assert (info.max_connections, info.last_error_message) == (5, None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response(500), "Wrong response from the webhook: 500 Internal Server Error"),
        (Response(302), "Wrong response from the webhook: 302 Found"),
        (Cut(), "Connection reset by peer"),
    ],
    ids=["error", "elsewhere", "cut"],
)
async def test_what_is_not_taken(
    receiver: Receiver, bot: telegram.Bot, ada: Person, answer: Answer, words: str
) -> None:
    """An update that is not taken comes again until it is, before the next; the error is told."""
    receiver.answers.extend([answer, answer])
    await bot.set_webhook(receiver.url)
    ada.says("one")
    ada.says("two")
    receiver.wait_for(lambda _: len(receiver.taken) == 2)

    assert receiver.texts() == ["one", "two"]
    assert [r.json["message"]["text"] for r in receiver.requests] == ["one", "one", "one", "two"]
    info = await bot.get_webhook_info()
    assert info.last_error_message == words
    assert info.last_error_date is not None


async def test_nobody_there(
    server: TelegramServer, receiver: Receiver, bot: telegram.Bot, ada: Person
) -> None:
    """While nobody listens the updates wait; they are brought when somebody does."""
    receiver.stop()
    await bot.set_webhook(receiver.url)
    ada.says("one")
    server.wait_for(lambda s: any(hook.error for hook in s.api.hooks.values()))
    info = await bot.get_webhook_info()
    assert (info.pending_update_count, info.last_error_message) == (1, "Connection refused")

    receiver.start()
    receiver.wait_for(lambda _: receiver.texts() == ["one"])


async def test_while_the_network_is_away(
    server: TelegramServer, receiver: Receiver, bot: telegram.Bot, ada: Person
) -> None:
    """Nothing is brought while the network is away, and everything afterwards."""
    await bot.set_webhook(receiver.url)
    server.go_dark()
    ada.says("one")
    ada.says("two")
    assert receiver.requests == []

    server.come_back()

    receiver.wait_for(lambda _: receiver.texts() == ["one", "two"])


async def test_stopping_while_one_is_on_its_way(
    server: TelegramServer, receiver: Receiver, bot: telegram.Bot, ada: Person
) -> None:
    """Stopping does not wait for a webhook that never answers; the update comes again."""
    receiver.answers.append(Held(Event(), Cut()))
    await bot.set_webhook(receiver.url)
    ada.says("one")
    receiver.wait_for(lambda r: len(r.requests) == 1)

    server.stop()
    server.start()

    receiver.wait_for(lambda _: receiver.texts() == ["one"])


async def test_one_way_at_a_time(server: TelegramServer, call: Call, bot: telegram.Bot, ada: Person) -> None:
    """With a webhook there is no polling, a poll that waits ends; without it the updates wait for polls."""
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(call, "getUpdates", timeout=30)
        server.wait_for(lambda s: s.calls[-1].method == "getUpdates")
        call("setWebhook", url="https://bot.example/hook")
        ended = refusal(waiting.result())
    assert ended == (409, "Conflict: terminated by setWebhook request")
    ada.says("one")
    assert refusal(call("getUpdates")) == (409, WEBHOOK_ACTIVE)

    await bot.delete_webhook()

    assert [update["message"]["text"] for update in result(call("getUpdates"))] == ["one"]
    assert result(call("getWebhookInfo")) == {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": 1,
    }


async def test_dropping(bot: telegram.Bot, call: Call, ada: Person) -> None:
    """What waits is dropped where that is asked for, and kept where not."""
    ada.says("one")
    await bot.delete_webhook()
    assert len(result(call("getUpdates"))) == 1

    await bot.set_webhook("https://bot.example/hook", drop_pending_updates=True)
    await bot.delete_webhook()

    assert result(call("getUpdates")) == []


async def test_kinds(receiver: Receiver, bot: telegram.Bot, ada: Person) -> None:
    """Only those kinds are brought that were asked for."""
    await bot.set_webhook(receiver.url, allowed_updates=["edited_message"])
    message = ada.says("one")
    ada.edits(message, "two")

    receiver.wait_for(lambda _: len(receiver.taken) == 1)

    assert "edited_message" in receiver.taken[0]
    assert (await bot.get_webhook_info()).allowed_updates == ("edited_message",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://bot.example/hook"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "hook"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://bot.example:8080/hook"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (
            {"url": "https://bot.example", "secret_token": "a b"},
            "secret token contains unallowed characters",
        ),
        ({"url": "https://bot.example", "secret_token": "a" * 257}, "secret token is too long"),
    ],
)
def test_what_is_refused(call: Call, fields: dict[str, str], words: str) -> None:
    """A webhook that Telegram would not take is refused, and polling goes on."""
    assert refusal(call("setWebhook", **fields)) == (400, f"Bad Request: {words}")
    assert result(call("getUpdates")) == []
