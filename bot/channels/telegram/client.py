"""The bot behind a Telegram channel, and the chat it works in, wherever that moves."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
import telegram
from telegram.error import ChatMigrated, NetworkError
from telegram.request import HTTPXRequest

from threadcast.bot.channels.port import STANDING, Clock, always
from threadcast.bot.channels.telegram.errors import BROKEN, in_vain, in_words
from threadcast.config.environment import channel_variable
from threadcast.config.logs import get_logger
from threadcast.config.proxies import DIRECT, Proxies, Proxy
from threadcast.queue.outcomes import Obstacle
from threadcast.queue.sentences import Sentence

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 10.0  # seconds
GRACE: Final = 0.5  # seconds that a call has to end by itself where nobody waits for it any more
CONNECTIONS: Final = 256  # of one bot at a time: it sends 30 messages a second, and some answers take long

log = get_logger("threadcast.telegram")


class Bot(telegram.Bot):
    """A bot that asks once who it is, however many of its chats want to know that at the same time."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._asking = asyncio.Lock()

    async def initialize(self) -> None:
        async with self._asking:
            await super().initialize()


class _Request(HTTPXRequest):
    """The library's way to Telegram, whose errors say what happened, and by which proxy."""

    def __init__(self, proxy: Proxy | None, *, grace: float, **how: Any) -> None:
        super().__init__(proxy=None if proxy is None else proxy.address, **how)
        self._shown = "" if proxy is None else proxy.shown
        self._grace = grace

    async def do_request(self, *words: Any, **more: Any) -> tuple[int, bytes]:
        """Make one call. Raises NetworkError, whose cause is what the HTTP library raised."""
        calling = asyncio.ensure_future(super().do_request(*words, **more))
        try:
            status, answer = await asyncio.shield(calling)
        except asyncio.CancelledError:
            # One that is cancelled while it connects leaves its socket open: anyio forgets it then.
            await asyncio.wait([calling], timeout=self._grace)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            raise
        except (NetworkError, *BROKEN) as error:
            raise in_words(error, self._shown) from (error.__cause__ or error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NetworkError(Sentence("its server failed (HTTP {status})", status=status))
        return status, answer


def make_bot(
    token: str,
    *,
    api_url: str | None = None,
    proxies: Proxies = DIRECT,
    timeout: float = 60,
    polls: bool = False,
) -> Bot:
    """A bot with connections of its own. No call is made.

    `api_url` is a self-hosted Bot API server's address, None for Telegram's own. `timeout` is how
    many seconds to wait for an answer. One that `polls` has a connection for that alone. Raises
    InvalidToken for an empty token.
    """
    base = (api_url or "https://api.telegram.org").rstrip("/")
    proxy = proxies.way_to(base)

    def connections(count: int, grace: float = GRACE) -> HTTPXRequest:
        return _Request(
            proxy,
            grace=grace,
            connection_pool_size=count,
            connect_timeout=CONNECT_TIMEOUT,
            pool_timeout=CONNECT_TIMEOUT,
            read_timeout=timeout,
            write_timeout=timeout,
            media_write_timeout=timeout,
            # The library's own reading of the environment breaks on what others take, `socks://`; of what it
            # does besides, the certificates of SSL_CERT_FILE are wanted.
            httpx_kwargs={
                "trust_env": False,
                "verify": _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
                "event_hooks": {"request": [_watch]},
            },
        )

    request = connections(CONNECTIONS)
    return Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=request,
        get_updates_request=connections(1, grace=0) if polls else request,
    )


@lru_cache(maxsize=1)
def _trusted(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Return the certificates that all bots trust: to read them takes as long as ten posts."""
    return httpx.create_ssl_context()


async def _watch(request: httpx.Request) -> None:
    """Where this machine may lose what it holds, look at the last moment whether it still has it.

    Between the look and the byte there is nothing that could take long. A request of which the body is
    missing posts nothing. https://www.encode.io/httpcore/extensions/#trace
    """
    if STANDING.get() is not always:
        request.extensions = {**request.extensions, "trace": _require_standing}


async def _require_standing(step: str, _: object) -> None:
    if (
        step.endswith((".send_request_headers.started", ".send_request_body.started"))
        and not STANDING.get()()
    ):
        raise httpx.ConnectError("this machine was not heard of, and sends nothing until it is")


async def close_bot(bot: telegram.Bot) -> None:
    """Let go of its connections."""
    await bot.shutdown()
    await bot.request.shutdown()  # which stays open where Telegram never said who the bot is


@dataclass(eq=False, repr=False)  # a bot shows its token
class Client:
    """One chat as it is configured, and the bot that works in it.

    `chat` is where the calls go: a group that became a supergroup has another id from then on. That id
    is told to `on_moved`, which may block, to be given as `moved_to` to the next client of this chat.
    """

    bot: telegram.Bot
    _: KW_ONLY
    name: str
    chat: str
    clock: Clock
    moved_to: int | None = None
    on_moved: Callable[[int], None] = lambda _: None

    def __post_init__(self) -> None:
        self.chat = self.chat if self.moved_to is None else str(self.moved_to)

    async def ask(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Make a call in the chat; where Telegram says that it moved, once more in the new one."""
        await self.bot.initialize()  # which does nothing once it succeeded
        try:
            return await call(self.chat)
        except ChatMigrated as error:
            await self.follow(error)
            return await call(self.chat)

    async def follow(self, moved: ChatMigrated) -> None:
        """From here on, use the chat's new id."""
        self.moved_to = moved.new_chat_id
        self.chat = str(self.moved_to)
        log.warning("the chat has another id now", channel=self.name, next=self.correction)
        await asyncio.to_thread(self.on_moved, moved.new_chat_id)

    @property
    def correction(self) -> str:
        """What to do about a chat that moved."""
        return Sentence("set {chat}={chat2}", chat=channel_variable(self.name, "CHAT"), chat2=self.chat)

    def in_vain(self, error: Exception) -> Obstacle:
        """What an error means for a call that posts nothing. Does not tell the token."""
        return in_vain(error, name=self.name, now=self.clock())
