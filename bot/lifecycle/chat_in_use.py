"""The chat, while this service is the one that hears the bot: where machines share it, one of them does."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from threadcast.queue.model import Delivery

if TYPE_CHECKING:
    from threadcast.bot.chat.chat import Chat


class ChatInUse:
    """The chat, while this service is the one that hears the bot."""

    def __init__(self, build: "Callable[[], Chat | None]") -> None:
        self._build = build
        self._chat: Chat | None = None

    async def begin(self) -> None:
        """Hear the bot, where one is configured."""
        self._chat = self._build()
        if self._chat is not None:
            self._chat.start()

    async def abandon(self) -> None:
        """Another machine hears the bot: hear and say nothing more."""
        chat, self._chat = self._chat, None
        if chat is not None:
            await chat.close(saying=False)

    def touch(self, delivery: Delivery) -> None:
        if self._chat is not None:
            self._chat.touch(delivery)

    @property
    def broken(self) -> dict[str, str]:
        """Return what keeps the chat from hearing anything that only a person can mend, by its name."""
        refused = self._chat.poller.refused if self._chat is not None else ""
        return {"chat": refused} if refused else {}

    async def hear(self, secret: str, body: bytes) -> HTTPStatus:
        """Take what Telegram brings to the page; where nobody hears the bot here, not now."""
        if self._chat is None:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return await self._chat.poller.take(secret, body)

    def wake(self) -> None:
        if self._chat is not None:
            self._chat.wake()

    def stop_polling(self) -> None:
        if self._chat is not None:
            self._chat.stop_polling()

    async def close(self) -> None:
        if self._chat is not None:
            await self._chat.close()
