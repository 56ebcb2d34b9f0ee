"""Looking at messages of a Telegram chat, which the Bot API has no call for.

A bot that forwards a message gets to see it. So each message is forwarded to its owner's private chat,
silently, and the copy deleted at once. What a message replies to is not shown that way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

import telegram
from telegram.error import BadRequest, Forbidden, RetryAfter

from threadcast.bot.channels.port import Comparison, Expected, Finding, Landmark, Named, Sought
from threadcast.bot.channels.telegram.client import Client
from threadcast.bot.channels.telegram.errors import CALL_ERRORS, GONE, Fault, address, address_in
from threadcast.bot.channels.telegram.links import Link
from threadcast.bot.channels.telegram.matching import (
    File,
    Shown,
    alike,
    beside,
    differences,
    doubt_about,
    files_of,
    own,
    verdict,
)
from threadcast.bot.channels.telegram.pace import PER_PERSON
from threadcast.bot.channels.telegram.sending import name_of
from threadcast.config.logs import get_logger
from threadcast.queue.outcomes import Absent, Blind, Look, Obstacle, Refused, Sent, Throttled, Unreached
from threadcast.queue.sentences import Sentence

log = get_logger("threadcast.telegram")

WINDOW: Final = 20  # so many ids in a row without a message: what was sent is not behind them
FARTHEST: Final = 60  # messages behind the one before the post; in more, a person has to look
EXTRAS: Final = 60  # messages beside a chain that an audit looks at
LONGEST_REST: Final = 10.0  # seconds that a look waits for that chat; for longer ones it begins anew then

Rest = Callable[[float], Awaitable[None]]

NO_ADMIN: Final = Fault(
    Sentence("the bot has no private chat to forward it to"),
    Sentence(
        "put your numeric user id first in THREADCAST_TELEGRAM__ADMINS, and press Start "
        "in a private chat with the bot"
    ),
)
NOT_STARTED: Final = Fault(
    Sentence("the bot cannot forward it to you"),
    Sentence(
        "press Start in a private chat with the bot (its account must be the first of "
        "THREADCAST_TELEGRAM__ADMINS)"
    ),
)
PROTECTED: Final = Fault(
    Sentence("the chat protects its content, so that the bot cannot see it"),
    Sentence("allow forwarding there"),
)
NO_LANDMARK: Final = Fault(Sentence("no earlier post on this channel is known from where to look"), "")
STRANGE: Final = Fault(
    Sentence("the newest post known of this channel is not in the chat"),
    Sentence("it was deleted, or the chat is another"),
)
TOO_MANY: Final = Fault(
    Sentence("more than {farthest} messages stand behind the one before it", farthest=FARTHEST), ""
)


class CannotSeeError(Exception):
    """There is no way to see a message of this chat; the fault says why, and what would help."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class Copies(Protocol):
    """Where the ids of copies that are to be deleted outlive the service. May block."""

    def read(self) -> frozenset[int]: ...
    def write(self, numbers: frozenset[int]) -> None: ...


class Forgotten:
    """They do not."""

    def read(self) -> frozenset[int]:
        return frozenset()

    def write(self, numbers: frozenset[int]) -> None:
        pass


class Probe:
    """Sees messages of a client's chat through a private chat, None where there is none.

    `copies` keeps what is still to be deleted there, `rate` is how many it takes in a second; `rest` waits
    some seconds.
    """

    def __init__(
        self,
        client: Client,
        *,
        private_chat: int | None,
        copies: Copies | None = None,
        rate: float = PER_PERSON,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self._client = client
        self._private_chat = private_chat
        self._rest = rest
        self._apart = 1 / rate
        self._last = -self._apart
        self._kept = copies or Forgotten()
        self._copies: frozenset[int] | None = None  # that are still in the private chat; None: not read yet

    async def examine(self, chat: telegram.ChatFullInfo) -> Finding:
        """Whether a post of unknown fate could be looked for in this chat. Raises what a call raises."""
        try:
            await self._client.bot.get_chat(self._private())
        except (BadRequest, Forbidden):
            return _blindness(NOT_STARTED)
        except CannotSeeError as error:
            return _blindness(error.fault)
        if chat.has_protected_content:
            return _blindness(PROTECTED)
        return Finding("ok", Sentence("a post whose fate is unclear can be looked for"))

    async def look_up(self, sought: Sought) -> Look:
        """Whether a post is behind its parent, or behind the landmark."""
        if sought.parent is not None and not sought.parent.isdecimal():
            return Blind(Sentence("{parent} is no id of a Telegram message", parent=sought.parent))
        try:
            return await self._look_up(sought)
        except CALL_ERRORS as error:
            return _blind(self._client.in_vain(error))

    async def find(self, link: Link, texts: Sequence[str]) -> Named:
        """The message that a person means, and whether it has one of these texts."""
        here, number = self._client.chat, link.message_id
        try:
            chat = await self._chat()
        except CALL_ERRORS as error:
            sent = Sent(str(number), address_in(here, number)) if link.chat in {None, here.lower()} else None
            return Named(
                sent,
                Sentence("it cannot be looked at now: {reason}", reason=self._client.in_vain(error).reason),
            )
        names = {str(chat.id), here.lower(), *(f"@{name}".lower() for name in chat.active_usernames or ())}
        if chat.username:
            names.add(f"@{chat.username}".lower())
        if link.chat is not None and link.chat not in names:
            return Named(None, Sentence("it is a message of another chat than {here}", here=here))
        sent = Sent(str(number), address(chat, number))
        try:
            shown = await self._see(chat, number)
        except CannotSeeError as error:
            return Named(sent, Sentence("it cannot be looked at: {reason}", reason=error.fault.reason))
        except CALL_ERRORS as error:
            return Named(
                sent,
                Sentence("it cannot be looked at now: {reason}", reason=self._client.in_vain(error).reason),
            )
        if shown is None:
            return Named(None, Sentence("there is no message {number} in {here}", number=number, here=here))
        return Named(sent, doubt_about(shown, texts))

    async def audit(self, chain: Sequence[Expected]) -> Comparison:
        """Where a published chain is not as it was sent; one message a second."""
        if not all(number.isdecimal() for one in chain for number in (one.remote_id, *one.album)):
            return Blind(Sentence("the chain has ids that are none of Telegram's"))
        try:
            chat = await self._chat()
            ids = (*sorted(own(chain)), *beside(chain, WINDOW, EXTRAS))
            seen = {number: await self._see(chat, number) for number in ids}
        except CannotSeeError as error:
            return Blind(error.fault.reason)
        except CALL_ERRORS as error:
            return _blind(self._client.in_vain(error))
        return differences(chain, seen, lambda number: address(chat, number))

    async def _chat(self) -> telegram.ChatFullInfo:
        """Return the chat, and delete what an earlier look may have left: the service died, or could not."""
        chat = await self._client.ask(self._client.bot.get_chat)
        if self._copies is None:
            self._copies = await asyncio.to_thread(self._kept.read)
        if self._copies:
            await self._delete_copies(self._private(), self._copies)
        return chat

    async def _look_up(self, sought: Sought) -> Sent | Absent | Blind:
        chat = await self._chat()
        try:
            base = await self._base(chat, int(sought.parent or 0), sought.landmark)
            shown = await self._behind(chat, base)
        except CannotSeeError as error:
            return Blind(error.fault.reason)
        files = files_of(sought.media)
        return verdict(shown, sought.text, lambda number: address(chat, number), files)

    async def _base(self, chat: telegram.ChatFullInfo, parent: int, landmark: Landmark | None) -> int:
        """The id that the post must be behind. A landmark counts only where it is what it should be."""
        trusted = False
        known = int(landmark.remote_id) if landmark and landmark.remote_id.isdecimal() else 0
        if landmark is not None and known > parent:
            message = await self._see(chat, known)
            trusted = message is not None and alike(message.text, landmark.text)
        if trusted or parent:
            return known if trusted else parent
        raise CannotSeeError(STRANGE if known else NO_LANDMARK)

    async def _behind(self, chat: telegram.ChatFullInfo, base: int) -> list[Shown]:
        """The messages behind one, up to where there are none for long."""
        found: list[Shown] = []
        number = newest = base
        while number < newest + WINDOW:
            number += 1
            message = await self._see(chat, number)
            if message is None:
                continue
            newest = number
            found.append(message)
            if len(found) > FARTHEST:
                raise CannotSeeError(TOO_MANY)
        return found

    async def _see(self, chat: telegram.ChatFullInfo, message_id: int) -> Shown | None:
        """One message of the chat, None where there is none with this id."""
        private = self._private()
        wait = self._last + self._apart - time.monotonic()
        copy: telegram.Message | None = None
        while copy is None:
            if wait > 0:
                await self._rest(wait)
            try:
                copy = await self._client.bot.forward_message(
                    private, chat.id, message_id, disable_notification=True
                )
            except RetryAfter as error:  # an answer went to that chat just now
                asked = error.retry_after
                wait = asked.total_seconds() if isinstance(asked, timedelta) else asked
                if wait > LONGEST_REST:
                    raise
            except (BadRequest, Forbidden) as error:
                return _not_forwarded(error, message_id)
        self._last = time.monotonic()
        copies = (self._copies or frozenset()) | {copy.message_id}
        # A cancelled look leaves no copy either.
        await asyncio.shield(self._delete_copies(private, copies))
        words, mine = copy.text or copy.caption or "", self._is_own(copy, chat, message_id)
        return Shown(message_id, words, mine, _file(copy), name_of(copy))

    def _private(self) -> int:
        """Where messages of a chat can be forwarded to. Raises CannotSeeError."""
        if self._private_chat is None:
            raise CannotSeeError(NO_ADMIN)
        return self._private_chat

    async def _delete_copies(self, private_chat: int, copies: frozenset[int]) -> None:
        """Delete what was forwarded; what cannot be now is tried again with the next copy."""
        await asyncio.to_thread(self._kept.write, copies)
        left = set(copies)
        for number in sorted(copies):
            try:
                await self._client.bot.delete_message(private_chat, number)
            except CALL_ERRORS as error:
                if not (isinstance(error, BadRequest) and GONE.search(error.message.lower())):
                    log.warning(
                        "a copy is left in your private chat with the bot",
                        channel=self._client.name,
                        message=number,
                        reason=self._client.in_vain(error).reason,
                        next="it is tried again at the next look; or delete it there by hand",
                    )
                    continue
            left.discard(number)
        self._copies = frozenset(left)
        await asyncio.to_thread(self._kept.write, self._copies)

    def _is_own(self, copy: telegram.Message, chat: telegram.ChatFullInfo, message_id: int) -> bool | None:
        match copy.forward_origin:
            case telegram.MessageOriginChannel(chat=origin, message_id=number):
                return origin.id == chat.id and number == message_id
            case telegram.MessageOriginChat(sender_chat=origin):  # an anonymous administrator
                return origin.id == chat.id
            case telegram.MessageOriginUser(sender_user=user):
                return user.id == self._client.bot.id
            case telegram.MessageOriginHiddenUser():
                return False
        return None


def _file(message: telegram.Message) -> File:
    """What a message shows."""
    if message.photo:
        return File.PHOTO
    others = (message.animation, message.video, message.audio, message.voice, message.document)
    return File.OTHER if any(others) else File.NONE


def _blindness(fault: Fault) -> Finding:
    return Finding(
        "warning",
        Sentence("a post whose fate is unclear cannot be looked for: {what}", what=fault.what),
        fault.advice,
    )


def _blind(outcome: Obstacle) -> Throttled | Unreached | Blind:
    return Blind(outcome.reason) if isinstance(outcome, Refused) else outcome


def _not_forwarded(error: BadRequest | Forbidden, message_id: int) -> Shown | None:
    """What it means that a message was not forwarded, in a chat that was there just now."""
    words = error.message.lower()
    if GONE.search(words):
        return None
    if "protected content" in words or "forwards_restricted" in words:
        raise CannotSeeError(PROTECTED) from None
    if "can't be forwarded" in words:  # that somebody joined, or pinned a message
        return Shown(message_id, "", own=False)
    if "chat not found" in words or "user" in words:  # blocked by, deactivated, never written to
        raise CannotSeeError(NOT_STARTED) from None
    raise error
