"""The calls of an adapter, as the publisher makes them: a stop ends them, and nothing is raised."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from threadcast.bot.channels.media import Uploads
from threadcast.bot.channels.port import STANDING, Channel, Clock, Outgoing, Sought
from threadcast.bot.publishing.lease import Stop
from threadcast.config.logs import get_logger
from threadcast.queue.model import Claim, PostRecord
from threadcast.queue.outcomes import Blind, Code, Look, Obstacle, Outcome, Throttled, Unknown, Unreached
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import PostState

log = get_logger("threadcast.publisher")

QUIET = Sentence("quiet hours")
WENT_AWAY = Sentence("the service went away while this post was being sent")
STOPPED = Sentence("the service was stopped before the server answered")
TOO_LATE = Sentence("this machine was not heard of, and sends nothing until it is")
BROKE = Sentence("the channel's adapter broke, which is a fault of ours: the log says where")


def outgoing(claim: Claim, post: PostRecord) -> Outgoing:
    """Return a post of a claimed chain as it is sent, in every try, and edited."""
    return Outgoing(
        post.post.text,
        post.reply_to,
        post.key or "",
        settings=claim.thread.settings,
        media=post.post.media,
        uploads=post.uploads,
        album=post.album,
    )


async def send(channel: Channel, outgoing: Outgoing, stop: Stop, out: str | None = None) -> Outcome:
    """Send a post, or edit the one that is `out` under this id.

    Where the call was ended, or the adapter failed, that may have been done.
    """
    if not STANDING.get()():
        return Unreached(TOO_LATE, Code.STOPPED)
    try:
        async with stop.limit():
            return await (channel.send(outgoing) if out is None else channel.edit(out, outgoing))
    except TimeoutError:
        return Unknown(STOPPED, code=Code.STOPPED)
    except Exception:  # an adapter's fault, not the network's
        log.exception("the channel's adapter failed", channel=channel.name)
        return Unknown(BROKE, code=Code.ADAPTER)


async def look_up(channel: Channel, sought: Sought, stop: Stop) -> Look:
    """Look whether a post is out. Looking harms nothing: what goes wrong is tried again."""
    try:
        async with stop.limit():
            look = await channel.look_up(sought)
    except TimeoutError:
        return Unreached(STOPPED, Code.STOPPED)
    except Exception:  # an adapter's fault, not the network's
        log.exception("the channel's adapter failed", channel=channel.name)
        look = Unreached(BROKE, Code.ADAPTER)
    reason = look.reason if isinstance(look, Blind) else ""
    log.info("looked for a post", channel=channel.name, found=type(look).__name__.lower(), reason=reason)
    return look


async def accept(
    channel: Channel,
    posts: Sequence[PostRecord],
    note: Callable[[int, Uploads], None],
    stop: Stop,
    clock: Clock,
) -> tuple[PostRecord, ...] | Obstacle:
    """Have every file of a chain made ready, or say why one cannot go out now.

    Where the network has taken files, `note` stores their ids with the post of this position at once.
    """
    ready: list[PostRecord] = []
    for post in posts:
        one = await accept_one(channel, post, note, stop, clock) if post.state is PostState.PLANNED else post
        if not isinstance(one, PostRecord):
            return one
        ready.append(one)
    return tuple(ready)


async def accept_one(
    channel: Channel, post: PostRecord, note: Callable[[int, Uploads], None], stop: Stop, clock: Clock
) -> PostRecord | Obstacle:
    """Have the files of one post made ready, of one that is out for its edit; see `accept`."""
    if not post.post.media:
        return post
    uploads = await _accept(channel, post, stop, clock)
    if not isinstance(uploads, tuple):
        return uploads
    if uploads != post.uploads:
        await asyncio.to_thread(note, post.position, uploads)
    return replace(post, uploads=uploads)


async def _accept(channel: Channel, post: PostRecord, stop: Stop, clock: Clock) -> Uploads | Obstacle:
    try:
        async with stop.limit():
            return await channel.files.accept(post.post.media, post.uploads, post.remote_id)
    except TimeoutError:
        return Throttled(clock(), STOPPED, Code.STOPPED)
    except Exception:  # an adapter's fault, not the network's
        log.exception("the channel's adapter failed", channel=channel.name)
        return Unreached(BROKE, Code.ADAPTER)


async def preflight(channel: Channel, stop: Stop, clock: Clock) -> Obstacle | None:
    """Return why a chain could not be posted now; None where it could."""
    try:
        async with stop.limit():
            return await channel.preflight()
    except TimeoutError:
        return Throttled(clock(), STOPPED, Code.STOPPED)
