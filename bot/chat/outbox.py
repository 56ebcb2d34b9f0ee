"""What goes out to chats: paced, one call at a time in each, and never in the way of publishing.

What a person asked for goes first. What nobody waits for is patient: it goes where nothing was said for a
while, so that an answer finds the chat's next message free.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import telegram
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from threadcast.bot.channels.media import Upload
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Clock, Outgoing
from threadcast.bot.channels.telegram.client import Bot
from threadcast.bot.channels.telegram.errors import UNREADABLE, Posted
from threadcast.bot.channels.telegram.sending import How, post
from threadcast.bot.chat.views.message import TOAST, Message, Rows, in_messages, visible
from threadcast.config.logs import get_logger, redact
from threadcast.queue.outcomes import Sent, Throttled

T = TypeVar("T")

log = get_logger("threadcast.chat")

FIRST_PAUSE: Final = 1.0  # seconds after which a network that was away is tried again
LONGEST_PAUSE: Final = 60.0
AT_ONCE: Final = 100  # messages that one call deletes: https://core.telegram.org/bots/api#deletemessages

# In messages that the chat would take meanwhile.
REST_BETWEEN: Final = 2  # from any message to a patient one
REST_BEHIND: Final = 4  # from an answer: who asks once often asks again
PATIENCE: Final = timedelta(minutes=2)  # of what is patient, while somebody asks without a rest

Markup = telegram.InlineKeyboardMarkup | telegram.ForceReply | None


class UnreachableError(Exception):
    """Nothing can be said in this chat: the bot was blocked there, or never was there."""


@dataclass(eq=False)
class _Talk:
    """One chat: its pace, how many requests were not answered yet, and when something was said there."""

    pace: Pace
    calling: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    said: datetime | None = None
    answer: datetime | None = None

    def free_at(self, now: datetime) -> datetime:
        """When something patient may go, if nobody asks for anything until then."""
        step = self.pace.prospect(now).step
        rests = ((self.said, REST_BETWEEN), (self.answer, REST_BEHIND))
        return max((at + rest * step for at, rest in rests if at is not None), default=now)


class Outbox:
    """Sends, edits and deletes messages. `pace` gives a new chat its pace; `sleep` waits some seconds."""

    def __init__(
        self,
        bot: Bot,
        *,
        clock: Clock,
        pace: Callable[[int], Pace],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.bot = bot
        self._clock = clock
        self._new_pace = pace
        self._talks: dict[int, _Talk] = {}
        self._sleep = sleep
        self._unreachable: set[int] = set()

    @contextmanager
    def answering(self, chat: int) -> Iterator[None]:
        """While a request is answered in a chat, nothing patient goes there."""
        talk = self._talk(chat)
        talk.asked += 1
        talk.answered.clear()
        try:
            yield
        finally:
            talk.asked -= 1
            if not talk.asked:
                talk.answered.set()

    def is_asked(self, chat: int) -> bool:
        """Whether a request is being answered in a chat."""
        return self._talk(chat).asked > 0

    async def rest(self, chat: int, *, urgent: bool = False) -> None:
        """Wait until something patient may go in a chat; where it is urgent, only for answers."""
        talk, begun = self._talk(chat), self._clock()
        while True:
            now = self._clock()
            free = now if urgent else min(talk.free_at(now), begun + PATIENCE)
            if talk.asked:
                await talk.answered.wait()
            elif free > now:
                await self._sleep((free - now).total_seconds())
            else:
                return

    async def send(self, chat: int, message: Message, *, patient: bool = False) -> int:
        """Send it; the id of the message that has the buttons. Waits while the network is away.

        Raises UnreachableError.
        """
        sent = 0
        for one in in_messages(message):
            sent = (await self._send(chat, one, patient=patient)).message_id
        return sent

    async def edit(self, chat: int, message_id: int, message: Message, *, patient: bool = False) -> bool:
        """Put this in place of a message of ours; False where it is not there to be changed.

        Raises UnreachableError.
        """
        (first, *more) = in_messages(message)
        if more or first.file or first.asks:
            return False
        try:
            await self.call(
                chat,
                lambda: self.bot.edit_message_text(
                    first.text,
                    chat_id=chat,
                    message_id=message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_inline(first.buttons),
                    link_preview_options=NO_PREVIEW,
                ),
                patient=patient,
            )
        except BadRequest as error:
            return "not modified" in error.message.lower()
        return True

    async def delete(self, chat: int, message_id: int) -> bool:
        """Delete a message of ours; False where Telegram does not let us. Raises UnreachableError."""
        try:
            return await self.call(chat, lambda: self.bot.delete_message(chat, message_id), patient=True)
        except BadRequest:
            return False

    async def delete_all(self, chat: int, messages: Sequence[int]) -> bool:
        """Delete messages of ours, if they are there; False where one stays. Raises UnreachableError."""
        gone = True
        for start in range(0, len(messages), AT_ONCE):
            some = messages[start : start + AT_ONCE]
            try:
                await self.call(chat, partial(self.bot.delete_messages, chat, some))
            except BadRequest as error:
                log.debug("messages stay", chat=chat, reason=redact(error.message))
                gone = False
        return gone

    async def toast(self, press: str, text: str = "") -> None:
        """Answer a press, so that its button stops turning. It may be too late for that: no harm done."""
        text = visible(text)
        shown = text if len(text) <= TOAST else f"{text[: TOAST - 1]}…"
        try:
            await self.bot.answer_callback_query(press, text=shown or None)
        except (TelegramError, *UNREADABLE) as error:
            log.debug("a press was not answered", reason=redact(str(error)))

    async def _send(self, chat: int, message: Message, *, patient: bool) -> telegram.Message:
        markup: Markup = _inline(message.buttons)
        if message.asks:
            markup = telegram.ForceReply(input_field_placeholder=message.asks[:64])
        try:
            return await self.call(chat, lambda: self._post(chat, message, markup), patient=patient)
        except BadRequest as error:
            if "chat not found" in error.message.lower():  # who never pressed Start
                raise self._note_unreachable(chat, error) from None
            log.error("Telegram refused an answer", reason=redact(error.message), chat=chat)  # noqa: TRY400
            raise UnreachableError(redact(error.message)) from None

    async def _post(self, chat: int, message: Message, markup: Markup) -> telegram.Message:
        if message.file is not None:
            name, data = message.file
            return await self.bot.send_document(
                chat,
                telegram.InputFile(data, filename=name),
                caption=message.text,
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                disable_notification=message.quiet,
                reply_parameters=_reply(message.reply_to),
            )
        return await self.bot.send_message(
            chat,
            message.text,
            parse_mode=ParseMode.HTML,
            reply_markup=markup,
            disable_notification=message.quiet,
            link_preview_options=NO_PREVIEW,
            reply_parameters=_reply(message.reply_to),
        )

    async def call(self, chat: int, call: Callable[[], Awaitable[T]], *, patient: bool = False) -> T:
        """Make a call in its turn and at the chat's pace, until there is an answer.

        An answer that was lost, or cannot be read, may mean that it is said twice: better than not at all.
        Raises BadRequest, UnreachableError.
        """
        talk = self._talk(chat)
        pace, pause, is_told = talk.pace, FIRST_PAUSE, False
        async with talk.calling:
            while True:
                await self._wait_for(pace)
                talk.said = self._clock()
                talk.answer = talk.answer if patient else talk.said
                pace.begun(talk.said)
                try:
                    answer = await call()
                except RetryAfter as error:
                    wait = error.retry_after
                    wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
                    if is_told:  # once is what several messages at a time may cost: no reason to go slower
                        pace.ended(Throttled(self._clock() + wait, "a chat asks to wait"), self._clock())
                    is_told = True
                    log.info("a chat asks to wait", chat=chat, seconds=wait.total_seconds())
                    await self._sleep(wait.total_seconds())
                except BadRequest:
                    raise
                except (Forbidden, InvalidToken) as error:
                    raise self._note_unreachable(chat, error) from None
                except (NetworkError, *UNREADABLE) as error:
                    log.debug("a chat cannot be reached", reason=redact(str(error)), again_in=pause)
                    await self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret
                    pause = min(2 * pause, LONGEST_PAUSE)
                except TelegramError as error:
                    raise self._note_unreachable(chat, error) from None
                else:
                    pace.ended(Sent("", None), self._clock())
                    self._unreachable.discard(chat)
                    return answer

    def _talk(self, chat: int) -> _Talk:
        if chat not in self._talks:
            self._talks[chat] = _Talk(self._new_pace(chat))
        return self._talks[chat]

    def _note_unreachable(self, chat: int, error: TelegramError) -> UnreachableError:
        reason = redact(error.message)
        if chat not in self._unreachable:
            self._unreachable.add(chat)
            log.warning(
                "nothing can be said in a chat",
                chat=chat,
                reason=reason,
                next="press Start in a private chat with the bot, or add it to the group",
            )
        return UnreachableError(reason)

    async def _wait_for(self, pace: Pace) -> None:
        while (at := pace.ready_at(now := self._clock())) > now:
            await self._sleep((at - now).total_seconds())


def _reply(parent: int | None) -> telegram.ReplyParameters | None:
    return None if parent is None else telegram.ReplyParameters(parent, allow_sending_without_reply=True)


NO_PREVIEW: Final = telegram.LinkPreviewOptions(is_disabled=True)


def _inline(buttons: Rows) -> telegram.InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return telegram.InlineKeyboardMarkup(
        [[telegram.InlineKeyboardButton(one.label, callback_data=one.data) for one in row] for row in buttons]
    )


@dataclass(frozen=True, slots=True)
class Here:
    """A chat, for the work of an answer. `message` is the answer's or that of the button, if any."""

    outbox: Outbox
    chat: int
    message: int | None

    async def update(self, content: Message) -> None:
        if self.message is not None:
            await self.outbox.edit(self.chat, self.message, content)

    async def send(self, content: Message) -> int:
        return await self.outbox.send(self.chat, content)

    async def show(self, outgoing: Outgoing, files: Sequence[Upload]) -> tuple[int, ...]:
        outbox, chat, how = self.outbox, str(self.chat), How(silent=True, previews=NO_PREVIEW)

        async def once() -> Sequence[telegram.Message | Posted]:
            try:
                return await post(outbox.bot, chat, outgoing, files, how)
            except TimedOut:  # a large file: it would take as long again
                return ()

        try:
            return tuple(one.message_id for one in await outbox.call(self.chat, once))
        except BadRequest as error:
            log.warning("Telegram does not show a file", reason=redact(error.message), chat=self.chat)
            return ()

    async def delete(self, messages: Sequence[int]) -> bool:
        return await self.outbox.delete_all(self.chat, messages)
