"""Says things in chats: paced, one after the other in each chat, and never in the way of publishing."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
import telegram
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Clock
from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.views.message import TOAST, Rows, Said, in_messages, visible
from threadcast.config.logs import redact
from threadcast.queue.states import Sent, Throttled

T = TypeVar("T")

log = structlog.get_logger("threadcast.chat")

FIRST_PAUSE: Final = 1.0  # seconds after which a network that was away is tried again
LONGEST_PAUSE: Final = 60.0
IN_TURN: Final = 5.0  # seconds that what can be said later waits for its turn in a chat

Markup = telegram.InlineKeyboardMarkup | telegram.ForceReply | None


class UntoldError(Exception):
    """Nothing can be said in this chat: the bot was blocked there, or never was there."""


class LaterError(Exception):
    """Nothing can be said in this chat for so many seconds, and it was not to be waited for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:g} s")
        self.seconds = seconds


class Speaker:
    """What goes out to chats. `pace` gives a new chat its pace; `rest` waits some seconds.

    What is not `patient` goes on elsewhere where a chat has to be waited for: then LaterError is raised.
    """

    def __init__(
        self,
        bot: telegram.Bot,
        *,
        clock: Clock,
        pace: Callable[[int], Pace],
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._new_pace = pace
        self._paces: dict[int, Pace] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rest = rest
        self._deaf: set[int] = set()
        self._resting: dict[int, datetime] = {}  # until when a chat asked to wait

    async def say(self, chat: int, said: Said, *, patient: bool = True) -> int:
        """Send it; the id of the message that has the buttons. Waits while the network is away.

        Raises UntoldError.
        """
        sent = 0
        for one in in_messages(said):
            sent = (await self._send(chat, one, patient=patient)).message_id
        return sent

    async def change(self, chat: int, message: int, said: Said, *, patient: bool = True) -> bool:
        """Put this in place of a message of ours; False where it is not there to be changed.

        Raises UntoldError.
        """
        (first, *more) = in_messages(said)
        if more or first.file or first.asks:
            return False
        try:
            await self._call(
                chat,
                lambda: self._bot.edit_message_text(
                    first.text,
                    chat_id=chat,
                    message_id=message,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_inline(first.buttons),
                    link_preview_options=NO_PREVIEW,
                ),
                patient=patient,
            )
        except BadRequest as error:
            return "not modified" in error.message.lower()
        return True

    async def remove(self, chat: int, message: int, *, patient: bool = True) -> bool:
        """Delete a message of ours; False where Telegram does not let us. Raises UntoldError."""
        try:
            return await self._call(chat, lambda: self._bot.delete_message(chat, message), patient=patient)
        except BadRequest:
            return False

    async def toast(self, press: str, text: str = "") -> None:
        """Answer a press, so that its button stops turning. It may be too late for that: no harm done."""
        text = visible(text)
        shown = text if len(text) <= TOAST else f"{text[: TOAST - 1]}…"
        try:
            await self._bot.answer_callback_query(press, text=shown or None)
        except (TelegramError, *UNREADABLE) as error:
            log.debug("a press was not answered", reason=redact(str(error)))

    async def _send(self, chat: int, said: Said, *, patient: bool) -> telegram.Message:
        markup: Markup = _inline(said.buttons)
        if said.asks:
            markup = telegram.ForceReply(input_field_placeholder=said.asks[:64])
        try:
            return await self._call(chat, lambda: self._post(chat, said, markup), patient=patient)
        except BadRequest as error:
            if "chat not found" in error.message.lower():  # who never pressed Start
                raise self._untold(chat, error) from None
            log.error("Telegram refused an answer", reason=redact(error.message), chat=chat)  # noqa: TRY400
            raise UntoldError(redact(error.message)) from None

    async def _post(self, chat: int, said: Said, markup: Markup) -> telegram.Message:
        if said.file is not None:
            name, data = said.file
            return await self._bot.send_document(
                chat,
                telegram.InputFile(data, filename=name),
                caption=said.text,
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                disable_notification=said.quiet,
            )
        return await self._bot.send_message(
            chat,
            said.text,
            parse_mode=ParseMode.HTML,
            reply_markup=markup,
            disable_notification=said.quiet,
            link_preview_options=NO_PREVIEW,
        )

    async def _call(self, chat: int, call: Callable[[], Awaitable[T]], *, patient: bool) -> T:
        """Make a call in its turn and at the chat's pace, until there is an answer.

        An answer that was lost, or cannot be read, may mean that it is said twice: better than not at all.
        Raises BadRequest, UntoldError, and LaterError where it is not patient.
        """
        pace = self._paces.setdefault(chat, self._new_pace(chat))
        pause = FIRST_PAUSE
        async with self._turn(chat, patient=patient):
            while True:
                await self._wait_for(chat, pace, patient=patient)
                pace.went(self._clock())
                try:
                    answer = await call()
                except RetryAfter as error:
                    wait = error.retry_after
                    wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
                    self._resting[chat] = self._clock() + wait
                    pace.judged(Throttled(self._resting[chat], "a chat asks to wait"), self._clock())
                    log.info("a chat asks to wait", chat=chat, seconds=wait.total_seconds())
                except BadRequest:
                    raise
                except (Forbidden, InvalidToken) as error:
                    raise self._untold(chat, error) from None
                except (NetworkError, *UNREADABLE) as error:
                    log.debug("a chat cannot be reached", reason=redact(str(error)), again_in=pause)
                    await self._rest(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret
                    pause = min(2 * pause, LONGEST_PAUSE)
                except TelegramError as error:
                    raise self._untold(chat, error) from None
                else:
                    pace.judged(Sent("", None), self._clock())
                    self._deaf.discard(chat)
                    return answer

    @asynccontextmanager
    async def _turn(self, chat: int, *, patient: bool) -> AsyncIterator[None]:
        """One call after the other in a chat, in the order in which they were wanted."""
        turn = self._turns[chat]
        try:
            async with asyncio.timeout(None if patient else IN_TURN):
                await turn.acquire()
        except TimeoutError:
            raise LaterError(max(IN_TURN, self._until_rested(chat))) from None
        try:
            yield
        finally:
            turn.release()

    def _until_rested(self, chat: int) -> float:
        """Seconds until a chat that asked to wait takes something again."""
        until = self._resting.get(chat)
        return 0.0 if until is None else max(0.0, (until - self._clock()).total_seconds())

    def _untold(self, chat: int, error: TelegramError) -> UntoldError:
        reason = redact(error.message)
        if chat not in self._deaf:
            self._deaf.add(chat)
            log.warning(
                "nothing can be said in a chat",
                chat=chat,
                reason=reason,
                next="press Start in a private chat with the bot, or add it to the group",
            )
        return UntoldError(reason)

    async def _wait_for(self, chat: int, pace: Pace, *, patient: bool) -> None:
        while (wait := self._until_rested(chat)) > 0:
            if not patient:
                raise LaterError(wait)
            await self._rest(wait)
        while (at := pace.ready_at(now := self._clock())) > now:
            await self._rest((at - now).total_seconds())


NO_PREVIEW: Final = telegram.LinkPreviewOptions(is_disabled=True)


def _inline(buttons: Rows) -> telegram.InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return telegram.InlineKeyboardMarkup(
        [[telegram.InlineKeyboardButton(one.label, callback_data=one.data) for one in row] for row in buttons]
    )
