"""The loop that the service is compared with: the same client calls, each post a reply to the last.

    python -m tests.benchmarks.bare telegram http://127.0.0.1:8081 < one JSON list of texts a line

Nothing is stored, nothing is judged. A line `done` follows each chain.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from telegram import ReplyParameters

from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.telegram.channel import PREVIEW
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.queue.compose.compose import Numbering

Chain = Callable[[Sequence[str]], None]


def on_telegram(url: str, runner: asyncio.Runner) -> Chain:
    """With the adapter's bot, asked for once who it is, as the adapter does."""
    bot = make_bot(TELEGRAM_TOKEN, api_url=url)

    async def chain(texts: Sequence[str]) -> None:
        await bot.initialize()
        parent: int | None = None
        for text in texts:
            message = await bot.send_message(
                "@my_channel",
                text,
                parse_mode=None,
                disable_notification=parent is not None,
                link_preview_options=PREVIEW,
                reply_parameters=None if parent is None else ReplyParameters(message_id=parent),
            )
            parent = message.message_id

    return lambda texts: runner.run(chain(texts))


def on_mastodon(url: str, _: asyncio.Runner) -> Chain:
    """With the adapter's client: its session, its time limits."""
    channel = MastodonChannel(
        "masto", url=url, token=MASTODON_TOKEN, numbering=Numbering.KEEP, clock=lambda: datetime.now(UTC)
    )
    api = channel._client.api

    def chain(texts: Sequence[str]) -> None:
        parent: str | None = None
        for text in texts:
            status = api.status_post(
                text,
                in_reply_to_id=parent,
                visibility="public" if parent is None else "unlisted",
                idempotency_key=uuid4().hex,
                content_type="text/plain",
            )
            parent = status["id"]

    return chain


def main() -> None:
    network, url = sys.argv[1:]
    with asyncio.Runner() as runner:
        chain = {"telegram": on_telegram, "mastodon": on_mastodon}[network](url, runner)
        for line in sys.stdin:
            chain(json.loads(line))
            print("done", flush=True)


if __name__ == "__main__":
    main()
