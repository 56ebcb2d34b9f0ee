"""What Telegram's answers mean: pure, in the words of python-telegram-bot's exceptions.

Rules of the platform: https://core.telegram.org/bots/api#sendmessage and #making-requests.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any, Final

import httpx
import telegram
from telegram.constants import ChatType
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

from threadcast.bot.channels.connection import Trouble, trouble_of, unreached
from threadcast.bot.channels.telegram.links import CHANNELS
from threadcast.config.environment import channel_variable
from threadcast.config.logs import redact
from threadcast.queue.outcomes import (
    Absent,
    Code,
    Obstacle,
    Outcome,
    Refused,
    Sent,
    TakeDown,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.sentences import Sentence

# The library gives periods as timedelta only where this is set, and warns on every 429 where it is not.
os.environ.setdefault("PTB_TIMEDELTA", "true")

LONGEST_WAIT: Final = timedelta(days=7)  # hours have been seen; more is a mistake
FLOOD_WAIT: Final = timedelta(seconds=30)  # after a 429 that does not say how long to wait
LONGEST_QUOTE: Final = 200  # code points of a server's own words in a reason

# What the HTTP library raises before a byte of the request left this machine.
NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

# All that it raises in place of an answer, and what Python raises below it.
BROKEN: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, RuntimeError)

# A 200 whose JSON is not a message makes the library fail in any of these ways.
UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
NO_BOT_API: Final = Sentence("what answers is no Bot API server")

# All that a call raises where it does not do what it should.
CALL_ERRORS: Final = (TelegramError, *UNREADABLE)

REFUSALS: Final[list[dict[str, str]]] = tomllib.loads(
    resources.files(__package__).joinpath("refusals.toml").read_text(encoding="utf-8")
)["refusal"]

GONE: Final = re.compile(r"message to \w+ not found|message not found|message_id_invalid")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happened, and what a person can do about it."""

    what: str
    advice: str
    code: Code = Code.OTHER

    @property
    def reason(self) -> str:
        if not self.advice:
            return self.what
        return Sentence("{what}: {advice}", what=self.what, advice=self.advice)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is out: all of it that is asked for."""

    message_id: int
    chat: telegram.Chat
    parent: int | None

    @classmethod
    def read(cls, answer: Any) -> "Posted":
        """Take it from Telegram's own words. Raises what is in UNREADABLE."""
        chat = telegram.Chat.de_json(answer["chat"], None)
        replied = answer.get("reply_to_message")
        return cls(answer["message_id"], chat, None if replied is None else replied["message_id"])

    @classmethod
    def of(cls, message: telegram.Message) -> "Posted":
        """Take it from what the library made of them."""
        replied = message.reply_to_message
        return cls(message.message_id, message.chat, None if replied is None else replied.message_id)


# What the library raises where Telegram certainly did nothing, and never will with the same request.
Refusal = InvalidToken | ChatMigrated | BadRequest | Forbidden | Conflict


def explain(error: Refusal, *, name: str) -> Fault:
    """A refusal put in words that help the owner of channel `name`, and never tell the token."""
    match error:
        case InvalidToken():
            return Fault(
                Sentence("Telegram does not accept the bot token"),
                Sentence(
                    "put the one that @BotFather gives in THREADCAST_TELEGRAM__TOKEN (or {token}, "
                    "where the channel has a bot of its own); with a server of your own, check "
                    "THREADCAST_TELEGRAM__API_URL too",
                    token=channel_variable(name, "TOKEN"),
                ),
                Code.TOKEN,
            )
        case ChatMigrated():
            return Fault(
                Sentence("the group became a supergroup, with another id"),
                Sentence(
                    "set {chat}={new_chat_id}",
                    chat=channel_variable(name, "CHAT"),
                    new_chat_id=redact(str(error.new_chat_id)),
                ),
            )
    for one in REFUSALS:
        if re.search(one["says"], error.message.lower()):
            advice = Sentence(one["advice"], variable=channel_variable(name, "CHAT")) if one["advice"] else ""
            return Fault(Sentence(one["what"]), advice, Code(one["code"]))
    return Fault(
        Sentence("Telegram refused ({error})", error=quote(error)),
        Sentence("correct what it names, then try again"),
    )


def classify(result: object, *, name: str, chat: str, parent: str | None, now: datetime) -> Outcome:
    """What a send came to.

    `result` is what the library returned or raised; not every answer that it takes makes a message.
    `name` and `chat` are the channel's, `parent` the id it should reply to, `now` (UTC) is what a
    wait is counted from. The order matters: BadRequest and TimedOut are NetworkErrors.
    """
    if isinstance(result, telegram.Message):
        result = Posted.of(result)
    if isinstance(result, Posted):
        return _judge_message(result, chat=chat, parent=parent)
    if isinstance(result, TelegramError):
        outcome = _judge_error(result, name=name, now=now)
        if isinstance(outcome, Unknown):
            return Unknown(Sentence("{reason}; the post may be out", reason=outcome.reason))
        return outcome
    return Unknown(Sentence("Telegram's answer is not a message; the post may be out"))


def _judge_error(error: TelegramError, *, name: str, now: datetime) -> Obstacle | Unknown:
    match error:
        case RetryAfter():
            wait = error.retry_after
            wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            wait = min(max(wait, timedelta(0)), LONGEST_WAIT)
            return Throttled(
                now + wait,
                Sentence(
                    "Telegram asks to wait {total_seconds} s", total_seconds=f"{wait.total_seconds():g}"
                ),
            )
        case InvalidToken() | ChatMigrated() | BadRequest() | Forbidden() | Conflict():
            fault = explain(error, name=name)
            return Refused(fault.reason, fault.code)
        case NetworkError():
            return _judge_network(error, now)
        case _:
            return Unknown(Sentence("Telegram's answer cannot be read"))


def _judge_message(message: Posted, *, chat: str, parent: str | None) -> Outcome:
    """A message is out; it is what was asked for only in the right chat and under the right parent.

    A chat given by @name is not compared: Telegram tells one of its names, not always that one.
    """
    found = None if message.parent is None else str(message.parent)
    stray = str(message.message_id)
    if redact(stray) != stray:
        return Unknown(Sentence("the server's answer names a post by a secret"))
    if not chat.startswith("@") and str(message.chat.id) != chat:
        return Unknown(
            Sentence(
                "message {stray} is out, but in chat {id} instead of {chat}",
                stray=stray,
                id=redact(str(message.chat.id)),
                chat=redact(chat),
            ),
            stray,
        )
    if found != parent:
        linked = (
            Sentence("is linked to no message")
            if found is None
            else Sentence("replies to {found}", found=redact(found))
        )
        wanted = Sentence("to none") if parent is None else Sentence("to {parent}", parent=parent)
        return Unknown(
            Sentence(
                "message {stray} is out, but {linked} instead of {wanted}",
                stray=stray,
                linked=linked,
                wanted=wanted,
            ),
            stray,
        )
    return Sent(stray, address(message.chat, message.message_id))


def _judge_network(error: NetworkError, now: datetime) -> Throttled | Unreached | Unknown:
    if isinstance(error.__cause__, NEVER_LEFT):
        return Unreached(quote(error))
    if error.message.lower().startswith("too many requests"):
        return Throttled(now + FLOOD_WAIT, Sentence("Telegram asks to wait, without saying how long"))
    said = (
        quote(error)
        if error.__cause__
        else Sentence("no clear answer from Telegram ({error})", error=quote(error))
    )
    return Unknown(said)


def in_words(cause: Exception, proxy: str = "") -> NetworkError:
    """The HTTP library's error in our words, with that as its cause; `proxy` as it may be shown."""
    said = network_error(_why_no_answer(cause, proxy))
    said.__cause__ = cause
    return said


def network_error(reason: str) -> NetworkError:
    """Return the library's error with our words for it, which it would make plain text of."""
    said = NetworkError(reason)
    said.message = reason
    return said


def _why_no_answer(error: BaseException, proxy: str) -> str:
    match error:
        case httpx.ProxyError():
            trouble = Trouble.PROXY
        case httpx.PoolTimeout():
            trouble = Trouble.BUSY
        case httpx.TimeoutException():
            trouble = Trouble.LATE
        case _:
            trouble = trouble_of(error)
    if isinstance(error, NEVER_LEFT):
        return unreached("Telegram", trouble, proxy)
    return Sentence("no clear answer from Telegram: {value}", value=trouble.value)


def quote(error: TelegramError) -> str:
    """Return a server's own words as they may be shown; ours as they are."""
    if isinstance(error.message, Sentence):
        return error.message
    words = " ".join(redact(error.message).split())
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"


def address(chat: telegram.Chat | telegram.ChatFullInfo, message_id: int) -> str | None:
    """The address at which a reader finds a message of a chat, or None where it has none.

    https://core.telegram.org/api/links#message-links
    """
    if chat.type not in {ChatType.CHANNEL, ChatType.SUPERGROUP}:
        return None
    return address_in(f"@{chat.username}" if chat.username else str(chat.id), message_id)


def address_in(chat: str, message_id: int | str) -> str | None:
    """The same, for a chat by its @name or numeric id; None for the id of a group or a person."""
    if chat.startswith("@"):
        return f"https://t.me/{chat[1:]}/{message_id}" if redact(chat) == chat else None
    number = CHANNELS - int(chat)
    return f"https://t.me/c/{number}/{message_id}" if number > 0 else None


def in_vain(error: Exception, *, name: str, now: datetime) -> Obstacle:
    """What an error means that came of a call which posts nothing, and can be repeated."""
    if not isinstance(error, TelegramError):
        return Unreached(NO_BOT_API)
    outcome = _judge_error(error, name=name, now=now)
    return Unreached(outcome.reason) if isinstance(outcome, Unknown) else outcome


def not_edited(error: Exception, *, name: str, now: datetime, where: str) -> Outcome:
    """What an error means for a message that was to be edited; `where` it is, for a person."""
    if not isinstance(error, TelegramError):
        return Unknown(Sentence("Telegram's answer cannot be read"))
    if isinstance(error, BadRequest):
        words = error.message.lower()
        if GONE.search(words):
            return Refused(Sentence("it is not there any more: {where}", where=where))
        if "can't be edited" in words or "no text in the message" in words or "no caption" in words:
            return Refused(
                Sentence("Telegram does not let the bot edit it: edit it by hand: {where}", where=where)
            )
    return _judge_error(error, name=name, now=now)


def not_deleted(error: Exception, *, name: str, now: datetime, where: str) -> TakeDown:
    """What an error means for a message that was to be deleted; `where` it is, for a person."""
    if isinstance(error, BadRequest):
        if GONE.search(error.message.lower()):
            return Absent()
        if "can't be deleted" in error.message.lower():
            return Refused(
                Sentence(
                    "Telegram does not let the bot delete it (it may for 48 hours, with the right to "
                    "delete messages): delete it by hand: {where}",
                    where=where,
                )
            )
    outcome = in_vain(error, name=name, now=now)
    by_hand = Sentence("{reason}; or delete it by hand: {where}", reason=outcome.reason, where=where)
    return Refused(by_hand) if isinstance(outcome, Refused) else outcome
