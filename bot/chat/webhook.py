"""Updates that Telegram sends: a small web server behind the owner's own.

https://core.telegram.org/bots/api#setwebhook
"""

import asyncio
import hmac
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
import telegram
from telegram.error import BadRequest, TelegramError
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.channels.telegram.words import redact
from threadcast.bot.chat.updates import KINDS
from threadcast.config.telegram import TelegramSettings

log = structlog.get_logger("threadcast.chat")

LARGEST: Final = 1024 * 1024  # bytes of one update; a message has 4096 characters
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
PAUSE: Final = 30.0  # seconds until a webhook that could not be set is tried again
PLACES: Final = (
    "THREADCAST_TELEGRAM__WEBHOOK has to be an https address on port 443, 80, 88 or 8443, "
    "which Telegram can reach"
)

Hear = Callable[[telegram.Update], Awaitable[None]]


class Hook(RequestHandler):
    """One update. It is answered when it was dealt with: until then Telegram keeps it."""

    def initialize(self, bot: telegram.Bot, hear: Hear, secret: str, turn: asyncio.Lock) -> None:
        self._bot = bot
        self._hear = hear
        self._secret = secret
        self._turn = turn

    async def post(self) -> None:
        given = self.request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            self.set_status(403)
            return
        try:
            raw = json.loads(self.request.body)
            update = telegram.Update.de_json(raw, self._bot) if isinstance(raw, dict) else None
        except UNREADABLE as error:
            log.error("an update was left out: it cannot be read", reason=type(error).__name__)  # noqa: TRY400
            return  # sent again, it would not be better
        if update is None:
            return
        async with self._turn:  # in the order in which they come
            await self._hear(update)

    def log_exception(self, *error: Any) -> None:
        log.error("the webhook broke", exc_info=error)


async def serve(bot: telegram.Bot, hear: Hear, settings: TelegramSettings) -> None:
    """Serve until cancelled. Where the place is taken, that is said, and nothing is heard."""
    assert settings.webhook is not None  # noqa: S101  # what the caller looked at
    secret = secrets.token_urlsafe(32)
    path = urlsplit(settings.webhook).path or "/"
    given = {"bot": bot, "hear": hear, "secret": secret, "turn": asyncio.Lock()}
    site = Application([(path, Hook, given)], log_function=lambda _: None)
    server = HTTPServer(site, max_body_size=LARGEST, max_buffer_size=2 * LARGEST)
    host, _, port = settings.webhook_listen.rpartition(":")
    try:
        listening = _listen(host.strip("[]"), int(port))
    except OSError as error:
        log.error(  # noqa: TRY400  # no fault to trace
            "the webhook cannot be served, so no commands arrive",
            at=settings.webhook_listen,
            reason=error.strerror or str(error),
            next="set THREADCAST_TELEGRAM__WEBHOOK_LISTEN to a free address and port, and start again",
        )
        return
    server.add_socket(listening)
    try:
        await _announce(bot, settings.webhook, secret)
        await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()


def _listen(host: str, port: int) -> socket.socket:
    """The place, which is let go of where it cannot be had. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    listening.setblocking(False)
    return listening


async def _announce(bot: telegram.Bot, url: str, secret: str) -> None:
    """Tell Telegram where to send updates; what waits there is kept."""
    said = ""
    while True:
        try:
            await bot.set_webhook(url, secret_token=secret, allowed_updates=KINDS)
        except (TelegramError, *UNREADABLE) as error:
            reason = redact(str(error))
            if reason != said:  # once, however long it takes
                said = reason
                refused = isinstance(error, BadRequest)
                log.error(  # noqa: TRY400  # no fault to trace
                    "Telegram does not take the webhook, so no commands arrive",
                    reason=reason,
                    next=PLACES if refused else "it is tried again until it works",
                )
            await asyncio.sleep(PAUSE)
        else:
            log.info("webhook", url=url)
            return
