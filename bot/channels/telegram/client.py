"""The bot behind a Telegram channel, and the chat it works in, wherever that moves."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
import telegram
from telegram.error import ChatMigrated
from telegram.request import BaseRequest, RequestData

from threadcast.bot.channels.port import STANDING, Clock, always
from threadcast.bot.channels.telegram.errors import BROKEN, in_vain, in_words, network_error
from threadcast.config.environment import channel_variable
from threadcast.config.logs import get_logger
from threadcast.config.proxies import DIRECT, Proxies
from threadcast.queue.outcomes import Obstacle
from threadcast.queue.sentences import Sentence

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 10.0  # seconds
GRACE: Final = 0.5  # seconds that a call has to end by itself where nobody waits for it any more
CONNECTIONS: Final = 256  # of one bot at a time: it sends 30 messages a second, and some answers take long

_HEADERS: Final = {"User-Agent": BaseRequest.USER_AGENT, "Accept-Encoding": "gzip, deflate"}
_FORM_HEADERS: Final = {**_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}

log = get_logger("threadcast.telegram")


class Bot(telegram.Bot):
    """A bot that asks once who it is, however many of its chats want to know that at the same time."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._asking = asyncio.Lock()

    async def initialize(self) -> None:
        async with self._asking:
            await super().initialize()

    async def send_words(self, chat: str, text: str, **how: Any) -> Any:
        """Send a message of words alone; return what Telegram says of it, as it came.

        The library makes a value of each of its fields, and of each of the message that it replies to: that
        took longer than the rest of its work, for the ids of both. Raises what the library does.
        """
        return await self._post("sendMessage", {"chat_id": chat, "text": text, **how})


class _Request(BaseRequest):
    """The library's way to Telegram, whose errors say what happened, and by which proxy.

    It stands on the transport alone. What an HTTP client does besides (cookies, redirects, hooks, merging
    what requests have in common) took as long as the transport itself, and Telegram has no use for it.
    """

    def __init__(
        self, connect: Callable[[], httpx.AsyncBaseTransport], *, timeout: float, grace: float, shown: str
    ) -> None:
        self._connect = connect
        self._transport: httpx.AsyncBaseTransport | None = connect()
        self._timeout = timeout
        self._grace = grace
        self._shown = shown

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer."""
        return self._timeout

    async def initialize(self) -> None:
        """Open it again where it was shut down."""
        self._transport = self._transport or self._connect()

    async def shutdown(self) -> None:
        """Let go of the connections."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call. Raises NetworkError, whose cause is what the HTTP library raised."""
        usual = {
            "read": self._timeout,
            "write": self._timeout,
            "connect": CONNECT_TIMEOUT,
            "pool": CONNECT_TIMEOUT,
        }
        given = {
            "read": read_timeout,
            "write": write_timeout,
            "connect": connect_timeout,
            "pool": pool_timeout,
        }
        timeouts = usual | {name: one for name, one in given.items() if one is not BaseRequest.DEFAULT_NONE}
        calling = asyncio.ensure_future(self._call(_request(method, url, request_data, timeouts)))
        try:
            status, answer = await asyncio.shield(calling)
        except asyncio.CancelledError:
            # One that is cancelled while it connects leaves its socket open: anyio forgets it then.
            await asyncio.wait([calling], timeout=self._grace)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            raise
        except BROKEN as error:
            raise in_words(error, self._shown) from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise network_error(Sentence("its server failed (HTTP {status})", status=status))
        return status, answer

    async def _call(self, request: httpx.Request) -> tuple[int, bytes]:
        if self._transport is None:
            raise RuntimeError("these connections are shut down")
        response = await self._transport.handle_async_request(request)
        try:
            return response.status_code, await response.aread()
        finally:
            await response.aclose()


def _request(
    method: str, url: str, data: RequestData | None, timeouts: Mapping[str, float | None]
) -> httpx.Request:
    """Return a call as Telegram takes it: a form, in several parts where there are files."""
    extensions: dict[str, Any] = {"timeout": timeouts}
    if STANDING.get() is not always:
        extensions["trace"] = _require_standing
    headers, body = _HEADERS, dict[str, Any]()
    if data is not None and data.contains_files:
        body = {"data": data.json_parameters, "files": data.multipart_data}
    elif data is not None:
        headers, body = _FORM_HEADERS, {"content": data.url_encoded_parameters().encode()}
    return httpx.Request(method, _address(url), headers=headers, extensions=extensions, **body)


@lru_cache(maxsize=256)
def _address(url: str) -> httpx.URL:
    """Return an address read: a bot calls the same few again and again."""
    return httpx.URL(url)


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

    # The library's own reading of the environment breaks on what others take, `socks://`; of what it does
    # besides, the certificates of SSL_CERT_FILE are wanted.
    certificates = _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    def connections(count: int, grace: float = GRACE) -> _Request:
        def connect() -> httpx.AsyncBaseTransport:
            return httpx.AsyncHTTPTransport(
                verify=certificates,
                trust_env=False,
                limits=httpx.Limits(max_connections=count),
                proxy=None if proxy is None else proxy.address,
            )

        return _Request(connect, timeout=timeout, grace=grace, shown="" if proxy is None else proxy.shown)

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


async def _require_standing(step: str, _: object) -> None:
    """Where this machine may lose what it holds, look at the last moment whether it still has it.

    Between the look and the byte there is nothing that could take long. A request of which the body is
    missing posts nothing. https://www.encode.io/httpcore/extensions/#trace
    """
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

    bot: Bot
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
