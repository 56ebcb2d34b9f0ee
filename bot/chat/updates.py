"""How updates come in: Telegram is asked for them, and told that one was dealt with only when it was.

The client library's own updater confirms updates before they are handled; one that dies in between has
lost them, a thread with them.
"""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import structlog
import telegram
from telegram.error import Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.channels.telegram.words import redact

log = structlog.get_logger("threadcast.chat")

# What is asked for: https://core.telegram.org/bots/api#update
KINDS: Final = ("message", "edited_message", "callback_query", "my_chat_member")
POLL: Final = 50  # seconds that Telegram waits for an update before it answers that there is none
FIRST_PAUSE: Final = 1.0  # seconds until a network that was away is asked again
LONGEST_PAUSE: Final = 30.0
PEACE: Final = 120.0  # seconds without a conflict, after which the other one is gone: two take turns
BARRED: Final = 300.0  # seconds until a bot that Telegram does not know is asked for again
LAST: Final = 1.0  # seconds that a stopping service takes to deal with what it has begun, and to confirm it

Hear = Callable[[telegram.Update], Awaitable[None]]


class Listener:
    """Asks for updates, one after the other, until it is cancelled.

    `rival` is told where another program takes the same bot's updates, and where that is over.
    """

    def __init__(
        self,
        bot: telegram.Bot,
        hear: Hear,
        *,
        rival: Callable[[bool], Awaitable[None]],
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timer = timer
        self._bot = bot
        self._hear = hear
        self._rival = rival
        self._rest = rest
        self._offset: int | None = None
        self._pause = FIRST_PAUSE
        self._trouble = ""
        self._rival_until: float | None = None

    async def listen(self) -> None:
        """Hear updates, whatever Telegram answers."""
        try:
            while True:
                await self._ask()
        finally:
            await self._confirm()

    async def _ask(self) -> None:
        """Ask once, and deal with what comes; or wait, where that would not help now."""
        try:
            updates = await self._bot.get_updates(
                offset=self._offset,
                timeout=timedelta(seconds=POLL),
                read_timeout=POLL + 10,
                allowed_updates=KINDS,
            )
            sum(update.update_id for update in updates)  # numbers, or it is no answer of Telegram's
        except Conflict as error:
            await self._conflict(error)
        except RetryAfter as error:
            wait = error.retry_after
            await self._rest(wait.total_seconds() if isinstance(wait, timedelta) else wait)
        except (InvalidToken, Forbidden) as error:
            await self._barred(error)
        except UNREADABLE as error:
            if not await self._one_by_one():
                await self._away(f"an answer that cannot be read ({type(error).__name__})")
        except TelegramError as error:
            await self._away(redact(error.message))
        else:
            await self._well()
            for update in updates:
                await self._deal(update)

    async def _deal(self, update: telegram.Update) -> None:
        """What has begun is dealt with, even where the service is stopped meanwhile: in a moment it is."""
        dealing = asyncio.ensure_future(self._hear(update))
        try:
            await asyncio.shield(dealing)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([dealing], timeout=LAST)
            if done:
                self._offset = update.update_id + 1
            else:
                dealing.cancel()  # then it comes again
            raise
        except Exception:
            # An update's edge: whatever broke, the next one is heard.
            log.exception("an update was not dealt with")
        self._offset = update.update_id + 1

    async def _barred(self, error: TelegramError) -> None:
        said = redact(error.message)
        if self._trouble != said:
            self._trouble = said
            log.error(
                "Telegram does not accept the bot token: no commands arrive",
                reason=said,
                next="put the one that @BotFather gives into THREADCAST_TELEGRAM__TOKEN, and start again",
            )
        await self._rest(BARRED)

    async def _conflict(self, error: Conflict) -> None:
        if "webhook" in error.message.lower():
            log.warning("a webhook was set for this bot: it is taken away, for this service asks for updates")
            with suppress(TelegramError):
                await self._bot.delete_webhook()
            return
        if self._rival_until is None:
            log.error(  # no fault to trace
                "another program takes this bot's updates, so some commands do not arrive here",
                next="stop the other one, or set THREADCAST_TELEGRAM__LISTEN=false for one of the two",
            )
            await self._rival(True)
        self._rival_until = self._timer() + PEACE
        await self._wait()

    async def _away(self, reason: str) -> None:
        if self._trouble != reason:
            self._trouble = reason
            log.warning("Telegram cannot be reached: commands wait there", reason=reason)
        await self._wait()

    async def _one_by_one(self) -> bool:
        """Leave out what the library cannot read: the updates beside it would wait for ever.

        Whether that brought it further, so that nobody has to wait because somebody else sent such a thing.
        """
        before = self._offset
        with suppress(TelegramError, *UNREADABLE), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own call is what cannot read it
            found = await self._bot.do_api_request(
                "getUpdates", {"offset": self._offset, "allowed_updates": KINDS}
            )
            for raw in found:
                number = int(raw["update_id"])
                update = self._read(raw)
                if update is not None:
                    await self._deal(update)
                self._offset = number + 1
        if self._offset == before:
            return False
        await self._well()
        return True

    def _read(self, raw: dict[str, Any]) -> telegram.Update | None:
        try:
            return telegram.Update.de_json(raw, self._bot)
        except UNREADABLE as error:
            log.error(  # noqa: TRY400  # no fault of this code
                "an update was left out: it cannot be read",
                update=raw["update_id"],
                reason=type(error).__name__,
            )
            return None

    async def _well(self) -> None:
        self._pause = FIRST_PAUSE
        if self._trouble:
            self._trouble = ""
            log.info("Telegram is reached again")
        if self._rival_until is not None and self._timer() > self._rival_until:
            self._rival_until = None
            log.info("nobody else takes this bot's updates any more")
            await self._rival(False)

    async def _wait(self) -> None:
        await self._rest(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _confirm(self) -> None:
        """Tell Telegram what was dealt with, or it is heard again after the next start."""
        if self._offset is None:
            return
        with suppress(TelegramError, TimeoutError, *UNREADABLE):
            async with asyncio.timeout(LAST):
                await self._bot.get_updates(
                    offset=self._offset, limit=1, timeout=timedelta(0), allowed_updates=KINDS
                )
