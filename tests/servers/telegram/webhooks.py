"""Telegram's own side of a webhook: brings what waits for a bot to its address, one update at a time.

https://core.telegram.org/bots/api#setwebhook
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx

from tests.servers.telegram.chats import User
from tests.servers.telegram.server import TelegramServer

AGAIN_AFTER = 0.05  # seconds; Telegram takes longer


class Bringer:
    """`answers` are the statuses that came, each with the update's number. `again` brings each one twice."""

    def __init__(self, server: TelegramServer, bot: User) -> None:
        self.answers: list[tuple[int, int]] = []
        self.twice = False
        self._server = server
        self._bot = bot
        self._stopped = Event()

    def run(self) -> None:
        with httpx.Client(trust_env=False, timeout=20) as client:
            while not self._stopped.is_set():
                with self._server.changed:
                    api = self._server.api
                    waiting = api.updates.waiting[self._bot.id]
                    address = api.webhooks.get(self._bot.id)
                    if not waiting or not address:
                        self._server.changed.wait(AGAIN_AFTER)
                        continue
                    number = min(waiting)
                    update, secret = waiting[number], api.webhook_secrets[self._bot.id]
                for _ in range(2 if self.twice else 1):
                    self._bring(client, address, secret, number, update)

    def _bring(
        self, client: httpx.Client, address: str, secret: str, number: int, update: dict[str, object]
    ) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        try:
            status = client.post(address, json=update, headers=headers).status_code
        except httpx.HTTPError:
            status = 0
        with self._server.changed:
            self.answers.append((number, status))
            if status == httpx.codes.OK:
                self._server.api.updates.waiting[self._bot.id].pop(number, None)
            self._server.changed.notify_all()
        if status != httpx.codes.OK:
            self._stopped.wait(AGAIN_AFTER)

    def stop(self) -> None:
        self._stopped.set()


@contextmanager
def brought(server: TelegramServer, bot: User) -> Iterator[Bringer]:
    """Updates are brought as long as this is open."""
    bringer = Bringer(server, bot)
    running = Thread(target=bringer.run, daemon=True)
    running.start()
    try:
        yield bringer
    finally:
        bringer.stop()
        running.join()
