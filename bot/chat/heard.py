"""Which updates were dealt with. Telegram brings one again where it was not told, or did not hear, of that.

A command typed twice may mean two things, and mean harm: a post that is settled, skipped or sent again.
So what was heard is noted where the queue is, and is not heard again after a restart either.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
import telegram

from threadcast.bot.channels.port import Clock
from threadcast.bot.chat.access import is_whole
from threadcast.queue.notebook import Notebook
from threadcast.queue.port import StoreError

log = structlog.get_logger("threadcast.chat")

PAGE = "heard"
REMEMBERED = 1000  # of the newest: Telegram brings a hundred at once, and none that is older than a day

Deal = Callable[[telegram.Update], Awaitable[None]]


class Heard:
    """Deals with each update once. `is_known` says whose updates may change something: others' do nothing."""

    def __init__(
        self, notebook: Notebook, deal: Deal, *, is_known: Callable[[int], bool], clock: Clock
    ) -> None:
        self._notebook = notebook
        self._deal = deal
        self._is_known = is_known
        self._clock = clock
        self._ids: dict[int, int] | None = None  # by their line on the page

    async def hear(self, update: telegram.Update) -> None:
        """Deal with it, unless that was done before."""
        if not is_whole(update):
            log.error("an update was left out: a part of it is missing", update=update.update_id)
            return
        user = update.effective_user
        if user is None or not self._is_known(user.id):
            await self._deal(update)
            return
        number, line = update.update_id, update.update_id % REMEMBERED
        if (await self._noted()).get(line) == number:
            log.info("an update came again, and was left alone", update=number)
            return
        await self._deal(update)
        try:
            (await self._noted())[line] = number
            await asyncio.to_thread(self._notebook.write, PAGE, line, str(number), now=self._clock())
        except StoreError as error:
            log.warning("an update was not noted as heard", update=number, reason=str(error))

    async def _noted(self) -> dict[int, int]:
        if self._ids is None:
            try:
                page = await asyncio.to_thread(self._notebook.read, PAGE)
            except StoreError:
                return {}  # another time; what is asked for says itself that the queue cannot be used
            self._ids = {line: int(text) for line, text in page.items()}
        return self._ids
