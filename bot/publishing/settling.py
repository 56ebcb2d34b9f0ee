"""Looking for a post that may be out."""

import asyncio

import structlog

from threadcast.bot.channels.port import Channel, Landmark, Sought
from threadcast.bot.publishing.hurry import HURRIED, HurriedError, Hurry
from threadcast.queue.model import PostRecord
from threadcast.queue.states import Blind, Look, Unreached
from threadcast.queue.store.database import Database

log = structlog.get_logger("threadcast.settling")


async def look_for(post: PostRecord, channel: Channel, database: Database, hurry: Hurry) -> Look:
    """Whether the post is out, as the network shows it now. `post` was tried, and came into doubt."""
    assert post.key is not None and post.doubted is not None  # noqa: S101, PT018  # see above
    known = await asyncio.to_thread(database.reading.landmark, channel.name)
    landmark = (
        None if known is None or known.remote_id is None else Landmark(known.remote_id, known.post.text)
    )
    sought = Sought(post.post.text, post.reply_to, post.key, since=post.doubted, landmark=landmark)
    try:
        look = await hurry.through(channel.look_up(sought))
    except HurriedError:
        return Unreached(HURRIED)
    except Exception as error:
        # An adapter's fault, not the network's. Looking harms nothing: it is tried again.
        log.exception("the channel's adapter failed", channel=channel.name)
        look = Unreached(f"the adapter failed ({type(error).__name__})")
    reason = look.reason if isinstance(look, Blind) else ""
    found = type(look).__name__.lower()
    log.info("looked for a post", channel=channel.name, post=post.position, found=found, reason=reason)
    return look
