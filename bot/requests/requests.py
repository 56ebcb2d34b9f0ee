"""What a person can ask for, once for every face: shell, chat, intake folder.

A request returns values that say what was found or changed; how they look is the face's business.
"""

from collections.abc import Sequence

from threadcast.bot import wake
from threadcast.bot.channels.build import build_paces
from threadcast.bot.channels.port import Channel, Clock, now
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.store import open_store
from threadcast.bot.publishing.forecast import rhythms
from threadcast.bot.requests.chains import Chains
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.queries import Queries
from threadcast.bot.requests.threads import Threads
from threadcast.config.settings import Settings
from threadcast.queue.store.database import Database


class Requests:
    """The requests of one person."""

    def __init__(self, context: RequestContext) -> None:
        self.channels = context.channels
        self.queries = Queries(context)
        self.threads = Threads(context)
        self.changes = Changes(context)
        self.chains = Chains(context)
        self.backup = context.database.backup


def build_requests(
    settings: Settings, database: Database, channels: Sequence[Channel], *, actor: str, clock: Clock = now
) -> Requests:
    """Return the requests of one person, on this queue."""
    return Requests(
        RequestContext(
            database,
            channels,
            holds=frozenset(channel.name for channel in settings.channels if channel.hold),
            describes=frozenset(one.name for one in settings.channels if one.descriptions == "required"),
            rhythms=rhythms(settings),
            clock=clock,
            actor=actor,
            wake=lambda: wake.wake_service(settings.data),
            attacher=Attacher(open_store(settings)),
            prospects=lambda moment: {
                name: pace.prospect(moment)
                for name, pace in build_paces(settings, channels, database).items()
            },
            zone=settings.timezone,
        )
    )
