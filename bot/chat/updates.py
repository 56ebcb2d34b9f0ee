"""How updates come in: Telegram is polled, or brings them; one is confirmed only when it was handled.

The client library's own updater confirms updates before they are handled; one that dies in between has
lost them, a thread with them. Telegram brings an update again where it did not hear the confirmation; so
what was handled is noted where the queue is, and is not handled again after a restart either.
"""

import asyncio
import hmac
import json
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import telegram
from telegram.error import Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from threadcast.bot.channels.port import Clock, Standing, always
from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import conceal, get_logger, redact
from threadcast.queue.errors import StoreError
from threadcast.queue.store.notes import Notes

log = get_logger("threadcast.chat")

# What is asked for: https://core.telegram.org/bots/api#update
KINDS: Final = ("message", "edited_message", "callback_query", "my_chat_member")
POLL: Final = 50  # seconds that Telegram waits for an update before it answers that there is none
FIRST_PAUSE: Final = 1.0  # seconds until an unreachable network is tried again
LONGEST_PAUSE: Final = 30.0
CONFLICT_OVER: Final = 120.0  # seconds without a conflict, after which the other program is gone
BAD_TOKEN_PAUSE: Final = 300.0  # seconds until a bot that Telegram does not know is tried again
STOP_WITHIN: Final = (
    1.0  # seconds that a stopping service takes to handle what it has begun, and to confirm it
)

STANDING_PAUSE: Final = 0.2
LOOK_EVERY: Final = 60.0  # seconds between two looks whether Telegram still brings updates here

# Of the ids of people, chats and messages: https://core.telegram.org/bots/api#chat
BITS: Final = 52

PAGE = "heard"  # of the notes
REMEMBERED = 1000  # of the newest: Telegram brings a hundred at once, and none that is older than a day

Handle = Callable[[telegram.Update], Awaitable[None]]


class HandleOnce:
    """Handles each update once. `is_known` says whose updates may change something: others' do nothing.

    `standing`: whether this machine is surely the one that hears the bot.
    """

    def __init__(
        self,
        notes: Notes,
        handle: Handle,
        *,
        is_known: Callable[[int], bool],
        clock: Clock,
        standing: Standing = always,
    ) -> None:
        self._notes = notes
        self._handle = handle
        self._is_known = is_known
        self._clock = clock
        self._standing = standing
        self._ids: dict[int, int] | None = None  # by their line on the page

    async def __call__(self, update: telegram.Update) -> None:
        """Handle it, unless that was done before, or Telegram gives no such ids."""
        # Another machine may hear the same by now: then this is cancelled, and else it is known soon.
        while not self._standing():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(STANDING_PAUSE)
        if not _can_be_telegrams(update):
            log.error("an update was left out: Telegram has no such ids", update=update.update_id)
            return
        user = update.effective_user
        if user is None or not self._is_known(user.id):
            await self._handle(update)
            return
        number, line = update.update_id, update.update_id % REMEMBERED
        if (await self._handled()).get(line) == number:
            log.info("an update came again, and was left alone", update=number)
            return
        await self._handle(update)
        try:
            (await self._handled())[line] = number
            await asyncio.to_thread(self._notes.write, PAGE, line, str(number), now=self._clock())
        except StoreError as error:
            log.warning("an update was not noted as handled", update=number, reason=sentence(error, SHELL))

    async def _handled(self) -> dict[int, int]:
        if self._ids is None:
            try:
                page = await asyncio.to_thread(self._notes.read, PAGE)
            except StoreError:
                return {}  # another time; what is asked for says itself that the queue cannot be used
            self._ids = {line: int(text) for line, text in page.items()}
        return self._ids


def _can_be_telegrams(update: telegram.Update) -> bool:
    """Whether who sent it, where, and the message it is about have ids that Telegram could have given."""
    named = (update.effective_user, update.effective_chat, update.effective_message)
    ids: list[object] = [one.id for one in named if one is not None]
    return all(isinstance(one, int) and one.bit_length() <= BITS for one in ids)


class Poller:
    """Gets updates and handles them, one after the other, until it is cancelled.

    `on_ready` is called when Telegram has said who the bot is. `on_conflict` is told where another program
    takes the same bot's updates, and where that is over.
    """

    def __init__(
        self,
        bot: telegram.Bot,
        handle: Handle,
        *,
        on_ready: Callable[[], None],
        on_conflict: Callable[[bool], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timer = timer
        self._bot = bot
        self._handle = handle
        self._on_ready = on_ready
        self._on_conflict = on_conflict
        self._is_ready = False
        self._sleep = sleep
        self._offset: int | None = None
        self._pause = FIRST_PAUSE
        self._problem = ""
        self.refused = ""  # why Telegram does not accept the token
        self._conflict_until: float | None = None

    async def run(self) -> None:
        """Poll, whatever Telegram answers."""
        try:
            while True:
                await self._poll()
        finally:
            await self._confirm()

    async def _poll(self) -> None:
        """Poll once, and handle what comes; or wait, where that would not help now."""
        try:
            if not self._is_ready:
                await self._bot.initialize()
                self._is_ready = True
                self._on_ready()
            updates = await self._ask()
        except Conflict as error:
            await self._conflict(error)
        except RetryAfter as error:
            wait = error.retry_after
            await self._sleep(wait.total_seconds() if isinstance(wait, timedelta) else wait)
        except (InvalidToken, Forbidden) as error:
            await self._bad_token(error)
        except UNREADABLE:
            if not (self._is_ready and await self._one_by_one()):
                await self._unreachable("what answers is no Bot API server")
        except TelegramError as error:
            await self._unreachable(redact(error.message))
        else:
            await self._reached()
            for update in updates:
                await self._handle_one(update)

    async def take(self, secret: str, body: bytes) -> HTTPStatus:  # noqa: ARG002  # see Webhook
        """Take an update that Telegram brings: none is expected."""
        return HTTPStatus.NOT_FOUND

    async def _ask(self) -> Sequence[telegram.Update]:
        updates = await self._bot.get_updates(
            offset=self._offset,
            timeout=timedelta(seconds=POLL),
            read_timeout=POLL + 10,
            allowed_updates=KINDS,
        )
        sum(update.update_id for update in updates)  # numbers, or it is no answer of Telegram's
        return updates

    async def _handle_one(self, update: telegram.Update) -> None:
        """Handle what has begun to its end, even where the service is stopped meanwhile."""
        handling = asyncio.ensure_future(self._handle(update))
        try:
            await asyncio.shield(handling)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([handling], timeout=STOP_WITHIN)
            if done:
                self._offset = update.update_id + 1
            else:
                handling.cancel()  # then it comes again
            raise
        except Exception:
            # An update's edge: whatever broke, the next one is handled.
            log.exception("an update was not dealt with")
        self._offset = update.update_id + 1

    async def _bad_token(self, error: TelegramError) -> None:
        reason = self.refused = redact(error.message)
        if self._problem != reason:
            self._problem = reason
            log.error(
                "Telegram does not accept the bot token: no commands arrive",
                reason=reason,
                next="put the one that @BotFather gives into THREADCAST_TELEGRAM__TOKEN, and start again",
            )
        await self._sleep(BAD_TOKEN_PAUSE)

    async def _conflict(self, error: Conflict) -> None:
        if "webhook" in error.message.lower():
            log.warning("a webhook was set for this bot: it is taken away, for this service asks for updates")
            with suppress(TelegramError):
                await self._bot.delete_webhook()
            return
        if self._conflict_until is None:
            log.error(  # no fault to trace
                "another program takes this bot's updates, so some commands do not arrive here",
                next="stop the other one, or set THREADCAST_TELEGRAM__LISTEN=false for one of the two",
            )
            self._on_conflict(True)
        self._conflict_until = self._timer() + CONFLICT_OVER
        await self._back_off()

    async def _unreachable(self, reason: str) -> None:
        if self._problem != reason:
            self._problem = reason
            log.warning("Telegram cannot be reached: commands wait there", reason=reason)
        await self._back_off()

    async def _one_by_one(self) -> bool:
        """Leave out what the library cannot read: the updates beside it would wait for ever.

        Return whether that brought it further: nobody has to wait because somebody else sent such a thing.
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
                    await self._handle_one(update)
                self._offset = number + 1
        if self._offset == before:
            return False
        await self._reached()
        return True

    def _read(self, raw: Any) -> telegram.Update | None:
        try:
            return telegram.Update.de_json(raw, self._bot)
        except UNREADABLE as error:
            log.error(  # noqa: TRY400  # no fault of this code
                "an update was left out: it cannot be read",
                update=raw.get("update_id") if isinstance(raw, dict) else None,
                reason=type(error).__name__,
            )
            return None

    async def _reached(self) -> None:
        self._pause = FIRST_PAUSE
        self.refused = ""
        if self._problem:
            self._problem = ""
            log.info("Telegram is reached again")
        if self._conflict_until is not None and self._timer() > self._conflict_until:
            self._conflict_until = None
            log.info("nobody else takes this bot's updates any more")
            self._on_conflict(False)

    async def _back_off(self) -> None:
        await self._sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _confirm(self) -> None:
        """Tell Telegram what was handled, or it comes again after the next start."""
        if self._offset is None:
            return
        with suppress(TelegramError, TimeoutError, *UNREADABLE):
            async with asyncio.timeout(STOP_WITHIN):
                await self._bot.get_updates(
                    offset=self._offset, limit=1, timeout=timedelta(0), allowed_updates=KINDS
                )


class Webhook(Poller):
    """Has Telegram bring updates to an address of the page, one at a time, and handles them as if polled.

    It is looked now and then whether Telegram does.
    """

    def __init__(self, address: str, token: str, bot: telegram.Bot, handle: Handle, **how: Any) -> None:
        super().__init__(bot, handle, **how)
        self._address = address
        # The same on all machines that share the bot, and after each start; nobody learns the token by it.
        self._secret = hmac.new(token.encode(), b"threadcast webhook", "sha256").hexdigest()
        conceal([self._secret])
        self._is_set = False
        self._failed_at: datetime | None = None
        self._turn = asyncio.Lock()
        self._at_work: asyncio.Task[None] | None = None
        self._is_open = False

    async def take(self, secret: str, body: bytes) -> HTTPStatus:
        """Handle an update that Telegram brings; it comes again unless the answer is OK."""
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            return HTTPStatus.NOT_FOUND
        async with self._turn:
            if not self._is_open:
                return HTTPStatus.SERVICE_UNAVAILABLE
            with suppress(ValueError, RecursionError):
                update = self._read(json.loads(body))
                if update is not None and isinstance(update.update_id, int):
                    self._at_work = asyncio.create_task(self._handle_one(update))
                    await asyncio.wait([self._at_work])
                    if self._at_work.cancelled():
                        return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.OK

    async def _ask(self) -> Sequence[telegram.Update]:
        if self._is_set:
            await self._sleep(LOOK_EVERY)
            await self._look()
        if not self._is_set:
            await self._bot.set_webhook(
                self._address, secret_token=self._secret, allowed_updates=KINDS, max_connections=1
            )
            self._is_set = self._is_open = True
            log.info("Telegram brings updates", address=self._address)
        return ()

    async def _look(self) -> None:
        found = await self._bot.get_webhook_info()
        if found.url != self._address:
            log.warning("the bot's webhook was changed by another program, and is set again")
            self._is_set = False
        elif found.last_error_date is not None and found.last_error_date != self._failed_at:
            log.warning(
                "Telegram could not bring an update, and tries again",
                reason=redact(found.last_error_message or ""),
                next="look at the proxy before the page, and at THREADCAST_WEB__URL",
            )
        self._failed_at = found.last_error_date

    async def _one_by_one(self) -> bool:
        return False

    async def _confirm(self) -> None:
        """Finish what is in hand, and take nothing more: Telegram keeps it."""
        self._is_open = self._is_set = False
        if self._at_work is not None and not self._at_work.done():
            self._at_work.cancel()
            await asyncio.wait([self._at_work])
