"""The loop that the service is compared with: the client libraries' calls, each post a reply to the last.

    python -m tests.benchmarks.bare telegram http://127.0.0.1:8081 < one JSON list of texts a line

Nothing is stored, nothing is judged. A line `done` follows each chain.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from uuid import uuid4

import requests
from mastodon import Mastodon
from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.request import HTTPXRequest

from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN

Chain = Callable[[Sequence[str]], None]


def on_telegram(url: str, runner: asyncio.Runner) -> Chain:
    request = HTTPXRequest(httpx_kwargs={"trust_env": False})
    bot = Bot(TELEGRAM_TOKEN, base_url=f"{url}/bot", request=request)
    preview = LinkPreviewOptions(is_disabled=True)

    async def chain(texts: Sequence[str]) -> None:
        await bot.initialize()
        parent: int | None = None
        for text in texts:
            message = await bot.send_message(
                "@my_channel",
                text,
                disable_notification=parent is not None,
                link_preview_options=preview,
                reply_parameters=None if parent is None else ReplyParameters(message_id=parent),
            )
            parent = message.message_id

    return lambda texts: runner.run(chain(texts))


def on_mastodon(url: str, _: asyncio.Runner) -> Chain:
    session = requests.Session()
    session.trust_env = False
    api = Mastodon(
        api_base_url=url,
        access_token=MASTODON_TOKEN,
        ratelimit_method="throw",
        version_check_mode="none",
        session=session,
    )

    def chain(texts: Sequence[str]) -> None:
        parent: str | None = None
        for text in texts:
            status = api.status_post(
                text,
                in_reply_to_id=parent,
                visibility="public" if parent is None else "unlisted",
                idempotency_key=uuid4().hex,
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
