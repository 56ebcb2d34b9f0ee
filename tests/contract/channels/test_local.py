from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.channels.harness import Harness, Seen
from tests.contract.channels.showing import ShowingContract
from tests.contract.channels.suite import ChannelContract
from threadcast.bot.channels.local.channel import LocalChannel
from threadcast.bot.channels.local.timeline import Like, read_newest
from threadcast.bot.channels.port import Channel
from threadcast.config.channels import LocalChannelSettings
from threadcast.queue.compose.rules import Numbering


class LocalHarness:
    """A local timeline, read as its owner would: from its file."""

    idempotent = True
    needs_landmark = False
    remote = False
    describes = True
    names_files = True
    secret = ""

    def __init__(self, folder: Path, like: Like, limit: int) -> None:
        self.limit = limit
        self._folder = folder
        self._file = folder / "news.jsonl"
        self._like = like
        self._ticks = 0

    def channel(self, *, numbering: Numbering = Numbering.KEEP) -> Channel:
        settings = LocalChannelSettings(name="news", like=self._like, numbering=numbering.value)
        return LocalChannel(settings, folder=self._folder, clock=self.now)

    def seen(self) -> list[Seen]:
        timeline = read_newest(self._file) if self._file.exists() else None
        entries = timeline.entries if timeline else ()
        return [
            Seen(e.remote_id, e.text, e.reply_to, tuple((one.kind, one.description) for one in e.media))
            for e in entries
        ]

    def delete(self, remote_id: str) -> None:
        lines = self._file.read_text().splitlines(keepends=True)
        self._file.write_text("".join(line for line in lines if f'"remote_id": "{remote_id}"' not in line))

    def now(self) -> datetime:
        self._ticks += 1
        return datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(seconds=self._ticks)

    def stop(self) -> None:
        raise NotImplementedError("nothing to stop")

    def throttle(self, seconds: int) -> None:
        raise NotImplementedError("nobody throttles")

    def lose_answer(self) -> None:
        raise NotImplementedError("no answer can be lost")

    def fail(self, status: int) -> None:
        raise NotImplementedError("nobody answers with a status")

    def revoke(self) -> None:
        raise NotImplementedError("there is no token")


class TestLocalLikeTelegram(ChannelContract, ShowingContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return LocalHarness(tmp_path, "telegram", 4096)


class TestLocalLikeMastodon(ChannelContract, ShowingContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return LocalHarness(tmp_path, "mastodon", 500)
