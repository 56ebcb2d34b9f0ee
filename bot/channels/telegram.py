"""Telegram chats as channels: the call, and a pure function that judges what came of it.

The Bot API knows no idempotency key: a send whose answer is lost may be out, and is never repeated here.
Rules of the platform: https://core.telegram.org/bots/api#sendmessage and #making-requests.
"""

import asyncio
import dataclasses
import logging
import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx
import telegram
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from threadcast.bot.channels.port import Clock, Difference, Expected, Finding, Outgoing, Sought
from threadcast.bot.channels.telegram_words import DESCRIPTIONS, LIMIT, Fault, channel_variable, redact
from threadcast.bot.gate import Gate, HeldBackError
from threadcast.queue import measure
from threadcast.queue.compose import Numbering, Rules
from threadcast.queue.states import (
    Blind,
    Look,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Throttled,
    Unknown,
    Unreached,
)

# The library gives periods as timedelta only where this is set, and warns on every 429 where it is not.
os.environ.setdefault("PTB_TIMEDELTA", "true")

CONNECT_TIMEOUT: Final = 10.0  # seconds
FLOOD_WAIT: Final = timedelta(seconds=30)  # after a 429 that does not say how long to wait
BOT_API_OFFSET: Final = -1_000_000_000_000  # minus the id that links use: how the Bot API names a channel
LONGEST_QUOTE: Final = 200  # code points of a server's own words in a reason

# The same for every post and every try, so that a retry looks like the first one.
PREVIEW: Final = telegram.LinkPreviewOptions(is_disabled=False)

# What the HTTP library raises before a byte of the request left this machine.
NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

# A 200 whose JSON is not a message makes the library fail in any of these ways.
UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError)
NO_BOT_API: Final = "what answers is no Bot API server ({})"


# What the library raises where Telegram certainly did nothing, and never will with the same request.
Refusal = InvalidToken | ChatMigrated | BadRequest | Forbidden | Conflict


def explain(error: Refusal, *, name: str) -> Fault:
    """A refusal put in words that help the owner of channel `name`, and never tell the token."""
    match error:
        case InvalidToken():
            return Fault(
                "Telegram does not accept the bot token",
                "put the one that @BotFather gives in THREADCAST_TELEGRAM__TOKEN"
                f" (or {channel_variable(name, 'TOKEN')}, where the channel has a bot of its own);"
                " with a server of your own, check THREADCAST_TELEGRAM__API_URL too",
            )
        case ChatMigrated():
            return Fault(
                "the group became a supergroup, with another id",
                f"set {channel_variable(name, 'CHAT')}={error.new_chat_id}",
            )
    for pattern, what, advice in DESCRIPTIONS:
        if re.search(pattern, error.message.lower()):
            return Fault(what, advice.format(variable=channel_variable(name, "CHAT")))
    return Fault(f"Telegram refused ({_quote(error)})", "correct what it names, then try again")


def classify(
    result: telegram.Message | TelegramError, *, name: str, chat: str, parent: str | None, now: datetime
) -> Outcome:
    """What a send came to.

    `name` and `chat` are the channel's, `parent` the id it should reply to, `now` (UTC) is what a
    wait is counted from. The order matters: BadRequest and TimedOut are NetworkErrors.
    """
    match result:
        case telegram.Message():
            return _judge_message(result, chat=chat, parent=parent)
        case RetryAfter():
            wait = result.retry_after
            wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            return Throttled(now + wait, f"Telegram asks to wait {wait.total_seconds():g} s")
        case InvalidToken() | ChatMigrated() | BadRequest() | Forbidden() | Conflict():
            return Refused(explain(result, name=name).reason)
        case NetworkError():
            return _judge_network(result, now)
        case _:
            return Unknown(f"Telegram's answer cannot be read ({_quote(result)}); the post may be out")


def _judge_message(message: telegram.Message, *, chat: str, parent: str | None) -> Outcome:
    """A message is out; it is what was asked for only in the right chat and under the right parent.

    A chat given by @name is not compared: Telegram tells one of its names, not always that one.
    """
    replied = message.reply_to_message
    found = None if replied is None else str(replied.message_id)
    stray = str(message.message_id)
    if not chat.startswith("@") and str(message.chat.id) != chat:
        return Unknown(f"message {stray} is out, but in chat {message.chat.id} instead of {chat}", stray)
    if found != parent:
        linked = "is linked to no message" if found is None else f"replies to {found}"
        wanted = "to none" if parent is None else f"to {parent}"
        return Unknown(f"message {stray} is out, but {linked} instead of {wanted}", stray)
    return Sent(str(message.message_id), address(message))


def _judge_network(error: NetworkError, now: datetime) -> Outcome:
    if isinstance(error.__cause__, HeldBackError):
        return Unreached(f"not sent: {error.__cause__}")
    if isinstance(error.__cause__, NEVER_LEFT):
        return Unreached(f"Telegram cannot be reached ({_quote(error)})")
    if error.message.lower().startswith("too many requests"):
        return Throttled(now + FLOOD_WAIT, "Telegram asks to wait, without saying how long")
    return Unknown(f"no clear answer from Telegram ({_quote(error)}); the post may be out")


def _quote(error: TelegramError) -> str:
    words = " ".join(redact(error.message).split())
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"


def address(message: telegram.Message) -> str | None:
    """The address at which a reader finds a message, or None where it has none.

    https://core.telegram.org/api/links#message-links
    """
    chat = message.chat
    if chat.type not in {ChatType.CHANNEL, ChatType.SUPERGROUP}:
        return None
    if chat.username:
        return f"https://t.me/{chat.username}/{message.message_id}"
    return f"https://t.me/c/{BOT_API_OFFSET - chat.id}/{message.message_id}"


class _TokenFilter(logging.Filter):
    """Takes the token out of the addresses that the HTTP library logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


_TOKEN_FILTER: Final = _TokenFilter()


# The gate of the post that this task sends.
_GATE: Final[ContextVar[Gate | None]] = ContextVar("gate", default=None)


async def _pass_gate(_: httpx.Request) -> None:
    """What the HTTP library does with a whole request, before it looks for a connection."""
    gate = _GATE.get()
    if gate is not None:
        await gate.passed()


def make_bot(token: str, *, api_url: str | None = None, timeout: float = 60) -> telegram.Bot:
    """A bot with connections of its own. No call is made.

    `api_url` is a self-hosted Bot API server's address, None for Telegram's own. `timeout` is how
    many seconds to wait for an answer. Raises InvalidToken for an empty token.
    """
    logging.getLogger("httpx").addFilter(_TOKEN_FILTER)
    base = (api_url or "https://api.telegram.org").rstrip("/")
    request = HTTPXRequest(
        connect_timeout=CONNECT_TIMEOUT,
        pool_timeout=CONNECT_TIMEOUT,
        read_timeout=timeout,
        write_timeout=timeout,
        media_write_timeout=timeout,
        # A proxy named in the environment does not lead back to this machine.
        httpx_kwargs={"trust_env": not _is_loopback(base), "event_hooks": {"request": [_pass_gate]}},
    )
    return telegram.Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=request,
        get_updates_request=request,
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TelegramChannel:
    """One chat (channel, group or private), by @name or numeric id. Owns its bot and closes it."""

    kind: Final = "telegram"

    def __init__(
        self,
        name: str,
        *,
        bot: telegram.Bot,
        chat: str,
        numbering: Numbering = Numbering.KEEP,
        silent: bool = True,
        clock: Clock,
    ) -> None:
        """`silent`: only the first post of a chain makes a sound. `clock` gives UTC."""
        self.name: Final = name
        self.target: Final = chat
        self._bot = bot
        self._numbering = numbering
        self._silent = silent
        self._clock = clock
        self._initialising = asyncio.Lock()

    async def rules(self) -> Rules:
        return Rules(limit=LIMIT, measure=measure.telegram, numbering=self._numbering)

    async def send(self, outgoing: Outgoing) -> Outcome:
        return self._hide_token(await self._send(outgoing))

    async def _send(self, outgoing: Outgoing) -> Outcome:
        if outgoing.parent is not None and not outgoing.parent.isdecimal():
            return Refused(f"{outgoing.parent} is no id of a Telegram message, so nothing can reply to it")
        try:
            await self._initialise()
        except TelegramError as error:
            return _not_sent(self._classify(error, None))
        except UNREADABLE as error:
            return Unreached(NO_BOT_API.format(type(error).__name__))
        waiting = _GATE.set(outgoing.gate)
        try:
            message = await self._bot.send_message(
                self.target,
                outgoing.text,
                parse_mode=None,  # not left to a default: nothing in a post is markup
                disable_notification=self._silent and outgoing.parent is not None,
                link_preview_options=PREVIEW,
                reply_parameters=_reply(outgoing.parent),
            )
        except TelegramError as error:
            return self._classify(error, outgoing.parent)
        except UNREADABLE as error:
            return Unknown(f"Telegram's answer cannot be read ({type(error).__name__}); the post may be out")
        finally:
            _GATE.reset(waiting)
        return self._classify(message, outgoing.parent)

    @property
    def settling(self) -> Settling:
        return Settling(first_look=timedelta(0))

    async def look_up(self, sought: Sought) -> Look:
        return Blind(f"a post of {sought.since:%H:%M} UTC cannot be looked for yet")

    async def take_down(self, remote_id: str) -> TakeDown:
        return Refused(f"post {remote_id} cannot be taken down yet")

    async def audit(
        self, chain: Sequence[Expected]
    ) -> tuple[Difference, ...] | Throttled | Unreached | Blind:
        return Blind(f"{len(chain)} posts cannot be looked at yet")

    async def preflight(self) -> Throttled | Unreached | Refused | None:
        return None

    async def check(self) -> tuple[Finding, ...]:
        try:
            await self._initialise()
            chat = await self._bot.get_chat(self.target)
            member = await self._bot.get_chat_member(chat.id, self._bot.id)
        except TelegramError as error:
            fault = self._fault(error)
        except UNREADABLE as error:
            fault = Fault(NO_BOT_API.format(type(error).__name__), "check THREADCAST_TELEGRAM__API_URL")
        else:
            known = Finding("ok", f"the token is that of @{self._bot.username}")
            return (known, judge_rights(chat, member), *judge_settings(chat))
        return (Finding("error", self._without_token(fault.what), self._without_token(fault.advice)),)

    async def close(self) -> None:
        await self._bot.shutdown()

    async def _initialise(self) -> None:
        """Ask once who the bot is; a failure is asked again at the next call."""
        async with self._initialising:
            await self._bot.initialize()  # which does nothing once it succeeded

    def _classify(self, result: telegram.Message | TelegramError, parent: str | None) -> Outcome:
        return classify(result, name=self.name, chat=self.target, parent=parent, now=self._clock())

    def _fault(self, error: TelegramError) -> Fault:
        if isinstance(error, Refusal):
            return explain(error, name=self.name)
        outcome = self._classify(error, None)
        if isinstance(outcome, Throttled):
            return Fault(outcome.reason, f"check again after {outcome.until:%H:%M:%S} UTC")
        return Fault(
            f"no answer from Telegram ({_quote(error)})", "check the network and THREADCAST_TELEGRAM__API_URL"
        )

    def _hide_token(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Sent):
            return outcome
        return dataclasses.replace(outcome, reason=self._without_token(outcome.reason))

    def _without_token(self, text: str) -> str:
        return text.replace(self._bot.token, "<token>")


def _reply(parent: str | None) -> telegram.ReplyParameters | None:
    # Never `allow_sending_without_reply`: it sends unlinked on any failure to find the parent.
    return None if parent is None else telegram.ReplyParameters(message_id=int(parent))


def _not_sent(outcome: Outcome) -> Outcome:
    """An outcome of a call before the send: whatever is unclear about it, no post is out."""
    if isinstance(outcome, Unknown):
        return Unreached(outcome.reason.removesuffix("; the post may be out"))
    return outcome


def judge_rights(chat: telegram.ChatFullInfo, member: telegram.ChatMember) -> Finding:
    """Whether a bot with this membership can post in this chat."""
    title = chat.title or chat.full_name or str(chat.id)
    match member:
        case telegram.ChatMemberOwner():
            can_post = True
        case telegram.ChatMemberAdministrator():
            can_post = chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
        case telegram.ChatMemberRestricted():
            can_post = member.is_member and member.can_send_messages
        case _:
            permitted = chat.permissions is None or chat.permissions.can_send_messages is not False
            is_member = member.status == ChatMemberStatus.MEMBER
            can_post = chat.type == ChatType.PRIVATE or (
                is_member and permitted and chat.type != ChatType.CHANNEL
            )
    if can_post:
        return Finding("ok", f"the bot may post in “{title}”")
    return Finding(
        "error",
        f"the bot may not post in “{title}” (it is there as: {member.status})",
        "make it an administrator with the right to post messages",
    )


def judge_settings(chat: telegram.ChatFullInfo) -> tuple[Finding, ...]:
    """What of a chat's settings gets in the way later."""
    if not chat.has_protected_content:
        return ()
    return (
        Finding(
            "warning",
            "the chat protects its content, so a post whose fate is unclear cannot be looked up",
            "allow forwarding in the chat's settings, or expect to be asked after a network fault",
        ),
    )
