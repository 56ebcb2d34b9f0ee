"""Every thread as every channel will show it, before anything is queued."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from threadcast.bot.channels.port import Channel, NotReadyError
from threadcast.bot.requests.context import seen_of
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.length import telegram
from threadcast.queue.compose.rules import CannotComposeError, Numbering, Post, Rules
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.thread import Thread

# What Mastodon allows unless a server says otherwise; also the shortest of the platforms.
ASSUMED = Rules(500, telegram, Numbering.KEEP)


@dataclass(frozen=True, slots=True)
class Preview:
    """One thread as one channel will show it. `problem` says why there are no posts, or what was assumed.

    `seen` is how many of them visitors see who are not logged in; None: all. `also` is the channel that the
    chain names at its end, once the thread is out there too; empty: none.
    """

    channel: str
    thread: int
    limit: int
    posts: tuple[Post, ...]
    problem: str = ""
    seen: int | None = None
    also: str = ""


async def preview_posts(threads: Sequence[Thread], channels: Sequence[Channel]) -> tuple[Preview, ...]:
    """Every thread as every channel will show it, channel by channel. Asks servers for their limits."""
    previews: list[Preview] = []
    for channel in channels:
        problem = ""
        for index, thread in enumerate(threads, start=1):
            try:
                rules = ASSUMED if problem else await channel.rules(thread.settings)
            except NotReadyError as error:
                rules = ASSUMED
                problem = Sentence(
                    "its limits are not known now ({error}); these posts assume {limit} characters",
                    error=error,
                    limit=ASSUMED.limit,
                )
            try:
                # Off the loop: a long thread would keep everything else waiting.
                posts = await asyncio.to_thread(compose, thread, rules)
            except CannotComposeError as error:
                previews.append(Preview(channel.name, index, rules.limit, (), str(error)))
            else:
                seen = seen_of(channel, len(posts))
                found = Preview(channel.name, index, rules.limit, posts, problem, seen, channel.also)
                previews.append(found)
    return tuple(previews)
