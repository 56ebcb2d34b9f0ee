"""The Telegram channel against a strict Bot API server on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.contract.channels.harness import Harness, Seen
from tests.contract.channels.showing import ShowingContract
from tests.contract.channels.suite import RemoteChannelContract
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.media import TELEGRAM_FILES, TELEGRAM_PICTURES, ChannelFiles
from threadcast.bot.channels.port import Channel
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.media.store import MediaStore
from threadcast.config.channels import TelegramChannelSettings
from threadcast.queue.compose.rules import Numbering

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


# By the field of a message that tells; an animation is a document too.
KINDS = {
    "animation": "animation",
    "photo": "image",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "document": "document",
}


class TelegramHarness:
    """A channel with a public name, and a bot that is its administrator."""

    limit = 4096
    idempotent = False
    needs_landmark = True
    remote = True
    describes = False
    names_files = True
    secret = TOKEN

    def __init__(self, server: TelegramServer, data: Path, *, by_name: bool = True) -> None:
        self._data = data
        self._server = server
        server.add_bot()
        self.chat = self._chat = server.add_chat(username="lighthouses" if by_name else None)
        self._owner = server.add_chat("private")

    def channel(self, *, numbering: Numbering = Numbering.KEEP) -> Channel:
        chat = f"@{self._chat.username}" if self._chat.username else str(self._chat.id)
        bot = make_bot(TOKEN, api_url=self._server.url)
        settings = TelegramChannelSettings(
            name="news", chat=chat, token=SecretStr(TOKEN), numbering=numbering.value
        )
        return TelegramChannel(
            settings,
            bot=bot,
            clock=self.now,
            files=ChannelFiles(MediaStore(self._data), TELEGRAM_FILES, TELEGRAM_PICTURES),
            probe_chat=self._owner.id,
            probe_rest=self._rest,
        )

    async def _rest(self, seconds: float) -> None:
        """Telegram takes a message a second; this server is not asked to."""

    def copies(self) -> list[Seen]:
        """What is left in the owner's chat of looking."""
        return [Seen(str(message.id), message.text, None) for message in self._server.seen(self._owner)]

    def seen(self) -> list[Seen]:
        """The messages, those of an album as one."""
        seen: list[Seen] = []
        group = ""
        for message in self._server.seen(self._chat):
            files = tuple((KINDS[name], "") for name in KINDS if name in message.extra)[:1]
            album = message.extra.get("media_group_id", "")
            if album and album == group:
                assert message.text == ""
                seen[-1] = replace(seen[-1], media=(*seen[-1].media, *files))
                continue
            group = album
            parent = None if message.reply_to is None else str(message.reply_to)
            seen.append(Seen(str(message.id), message.text, parent, files))
        return seen

    def delete(self, remote_id: str) -> None:
        del self._chat.messages[int(remote_id)]

    def now(self) -> datetime:
        return NOW

    def stop(self) -> None:
        self._server.stop()

    def throttle(self, seconds: int) -> None:
        for method in ("sendMessage", "editMessageText", "editMessageMedia"):
            self._server.throttle(seconds, method)

    def lose_answer(self) -> None:
        for method in ("sendMessage", "editMessageText", "editMessageMedia"):
            self._server.lose_answer(method)

    def fail(self, status: int) -> None:
        self._server.fail(status)

    def revoke(self) -> None:
        self._server.revoke()


class TestTelegramByName(RemoteChannelContract, ShowingContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        with TelegramServer() as server:
            harness = TelegramHarness(server, tmp_path)
            yield harness
            assert harness.copies() == []


class TestTelegramById(RemoteChannelContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        with TelegramServer() as server:
            harness = TelegramHarness(server, tmp_path, by_name=False)
            yield harness
            assert harness.copies() == []
