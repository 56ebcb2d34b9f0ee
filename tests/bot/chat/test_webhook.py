"""Telegram brings updates to the page: they are handled as if they were polled."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Self

import httpx
import telegram
from structlog.testing import capture_logs

from tests.bot.chat.stand import Stand, standing
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.webhooks import Bringer, brought
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.chat.updates import Webhook
from threadcast.queue.states import DeliveryState

THREAD = "1/2 Rivers carry water\n\n2/2 to the sea /end\n"
ADDRESS = "https://threads.example.org/telegram/updates"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def hearing(folder: Path) -> Iterator[tuple[Stand, Bringer]]:
    given = {
        "TELEGRAM__WEBHOOK": "true",
        "TELEGRAM__CONFIRM": "false",
        "WEB__LISTEN": f"127.0.0.1:{free_port()}",
    }
    with standing(folder, given) as stand, brought(stand.server, stand.bot) as bringer:
        yield stand, bringer


def test_from_a_file_to_a_chain(tmp_path: Path) -> None:
    """What is sent to the bot comes in by the webhook, and is published; nobody polls."""
    with hearing(tmp_path) as (stand, bringer):
        stand.people["Ada"].sends("rivers.txt", THREAD.encode(), "news")
        stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
        stand.wait_until_heard()
        assert {status for _, status in bringer.answers} <= {200, 503}  # before it hears, later
        assert not [one for one in stand.server.requests if one.path.endswith("/getUpdates")]


def test_nothing_twice(tmp_path: Path) -> None:
    """An update that Telegram brings again, after a restart too, is done once."""
    with hearing(tmp_path) as (stand, bringer):
        bringer.twice = True
        ada = stand.people["Ada"]
        ada.sends("rivers.txt", THREAD.encode(), "news")
        stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
        stand.wait_until_heard()
        number = bringer.answers[-1][0]
        assert [status for one, status in bringer.answers if one == number][-2:] == [200, 200]
        stand.stop()
        ada.says("/pause news")
        stand.start()
        stand.wait_until_heard()
        assert stand.database is not None
        said = [one.what for one in stand.database.reading.events() if one.what in {"add", "pause"}]
        assert said == ["add", "pause"]


def test_a_stranger_at_the_address(tmp_path: Path) -> None:
    """Without the secret there is nothing at that address, and nothing happens."""
    with hearing(tmp_path) as (stand, _):
        ada = stand.people["Ada"]
        ada.says("/pause news")
        stand.wait_until_heard()
        address = stand.server.api.webhooks[stand.bot.id]
        update = {"update_id": 99, "message": {"text": "/resume news"}}
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guessed"}):
            assert httpx.post(address, json=update, headers=headers, trust_env=False).status_code == 404
        secret = stand.server.api.webhook_secrets[stand.bot.id]
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        for broken in (b"{", b"[]", b'{"update_id": "x"}', b"[" * 5000):
            answer = httpx.post(address, content=broken, headers=headers, trust_env=False)
            assert answer.status_code == 200  # it would come again for ever
        assert secret not in TOKEN
        assert TOKEN not in secret


def test_no_page_that_telegram_reaches(tmp_path: Path) -> None:
    """Without a page the bot is polled all the same, and the log says what is missing."""
    with capture_logs() as logs, standing(tmp_path, {"TELEGRAM__WEBHOOK": "true"}) as stand:
        stand.people["Ada"].says("/pause news")
        stand.wait_until_heard()
        assert not stand.server.api.webhooks
    assert [one["event"] for one in logs if "polled" in one["event"]] == [
        "Telegram is polled, for it cannot bring updates: there is no page that it reaches"
    ]


class Alone:
    """A webhook with nothing around it, whose looks wait for nobody."""

    def __init__(self, server: TelegramServer) -> None:
        self.server = server
        self.set, self.begun, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.look = asyncio.Semaphore(0)
        self.heard: list[int] = []
        self.bot = make_bot(TOKEN, api_url=server.url)
        self.webhook = Webhook(
            ADDRESS,
            TOKEN,
            self.bot,
            self.hear,
            on_ready=lambda: None,
            on_conflict=lambda _: None,
            sleep=self.rest,
        )

    async def rest(self, _: float) -> None:
        self.set.set()
        await self.look.acquire()

    async def hear(self, update: telegram.Update) -> None:
        self.begun.set()
        await self.go_on.wait()
        self.heard.append(update.update_id)

    async def __aenter__(self) -> Self:
        self.running = asyncio.create_task(self.webhook.run())
        await asyncio.wait_for(self.set.wait(), 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running
        await close_bot(self.bot)

    async def until(self, call: str, count: int = 1) -> None:
        def came(server: TelegramServer) -> bool:
            return sum(one.path.lower().endswith(call) for one in server.requests) >= count

        await asyncio.to_thread(self.server.wait_for, came)


async def test_confirmed_when_done() -> None:
    """The answer is given when the update was handled; a service that stops in between finishes it first."""
    with TelegramServer() as server:
        bot = server.add_bot()
        async with Alone(server) as alone:
            secret = server.api.webhook_secrets[bot.id]
            taking = asyncio.create_task(alone.webhook.take(secret, b'{"update_id": 2}'))
            await asyncio.wait_for(alone.begun.wait(), 10)
            assert not taking.done()
            alone.running.cancel()
            asyncio.get_running_loop().call_soon(alone.go_on.set)
            await asyncio.wait_for(taking, 10)
            assert alone.heard[-1] == 2
            assert await alone.webhook.take(secret, b'{"update_id": 3}') == 503


async def test_it_is_looked_after() -> None:
    """A webhook that somebody changed is set again, and what Telegram meets at the address is logged once."""
    with TelegramServer() as server, capture_logs() as logs:
        bot = server.add_bot()
        async with Alone(server) as alone:
            with server.changed:
                server.api.webhooks[bot.id] = "https://elsewhere.example"
            alone.look.release()
            await alone.until("setwebhook", 2)
            assert server.api.webhooks[bot.id] == ADDRESS
            with server.changed:
                moment = int(datetime.now().timestamp())  # noqa: DTZ005  # as Telegram has it
                server.api.webhook_errors[bot.id] = {
                    "last_error_date": moment,
                    "last_error_message": "Wrong response from the webhook: 502 Bad Gateway",
                }
            for count in (2, 3, 4):
                alone.look.release()
                await alone.until("getwebhookinfo", count)
    said = [one["reason"] for one in logs if one["event"].startswith("Telegram could not bring")]
    assert said == ["Wrong response from the webhook: 502 Bad Gateway"]
