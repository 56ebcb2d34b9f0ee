"""The calls of an adapter, as the publisher makes them: a stop ends them, and nothing is raised."""

from threadcast.bot.channels.port import Channel, Clock, Outgoing, Sought
from threadcast.bot.publishing.lease import Stop
from threadcast.config.logs import get_logger
from threadcast.queue.outcomes import Blind, Code, Look, Obstacle, Outcome, Throttled, Unknown, Unreached

log = get_logger("threadcast.publisher")

STOPPED = "the service was stopped before the server answered"
BROKE = "the channel's adapter broke, which is a fault of ours: the log says where"


async def send(channel: Channel, outgoing: Outgoing, stop: Stop) -> Outcome:
    """Send a post. One whose call was ended, or whose adapter failed, may be out."""
    try:
        async with stop.limit():
            return await channel.send(outgoing)
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


async def preflight(channel: Channel, stop: Stop, clock: Clock) -> Obstacle | None:
    """Return why a chain could not be posted now; None where it could."""
    try:
        async with stop.limit():
            return await channel.preflight()
    except TimeoutError:
        return Throttled(clock(), STOPPED, Code.STOPPED)
