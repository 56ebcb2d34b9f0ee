"""What a person can ask for, once for every face: shell, chat, intake folder.

A request returns values that say what was found or changed; how they look is the face's business.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from threadcast.bot.channels.build import build_paces
from threadcast.bot.channels.port import Channel, Clock, Finding, now
from threadcast.bot.fleet.machine import any_heard_of
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.store import open_store
from threadcast.bot.people import shares
from threadcast.bot.publishing.forecast import rhythms
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.context import RequestContext, pick
from threadcast.bot.requests.queries import Dossier, Queries
from threadcast.bot.wake import wake_service
from threadcast.config.settings import Settings
from threadcast.queue.errors import NotFoundError
from threadcast.queue.states import DeliveryState, Event, follow
from threadcast.queue.store.database import Database

if TYPE_CHECKING:
    from threadcast.bot.publishing.agenda import Agenda
    from threadcast.bot.readers.figures import ReaderFigures
    from threadcast.bot.requests.chains import Chains
    from threadcast.bot.requests.figures.figures import Figures
    from threadcast.bot.requests.threads import Threads

Wake = Callable[[Collection[str]], bool]


class Requests:
    """The requests of one person. What reads texts, and what counts, is imported when it is asked."""

    def __init__(self, context: RequestContext) -> None:
        self.channels = context.channels
        self.queries = Queries(context)
        self.changes = Changes(context)
        self.backup = context.database.backup
        self.files = context.attacher
        self.wake = context.wake
        self._context = context

    @cached_property
    def threads(self) -> "Threads":
        """New threads, and what becomes of their texts."""
        from threadcast.bot.requests.threads import Threads  # noqa: PLC0415  # see above

        return Threads(self._context)

    @cached_property
    def chains(self) -> "Chains":
        """Chains that are out."""
        from threadcast.bot.requests.chains import Chains  # noqa: PLC0415

        return Chains(self._context)

    @cached_property
    def figures(self) -> "Figures":
        """How much waits, and how old it is."""
        from threadcast.bot.requests.figures.figures import Figures  # noqa: PLC0415

        return Figures(self._context)

    @cached_property
    def readers(self) -> "ReaderFigures":
        """What readers did."""
        from threadcast.bot.readers.figures import ReaderFigures  # noqa: PLC0415

        return ReaderFigures(self._context.database)

    def share(self, thread_id: int, lasts: timedelta = shares.LASTS) -> str:
        """Return the code of a link by which somebody approves a held thread, or sends it back.

        Raises NotFoundError, and NotAllowedError where it is held nowhere.
        """
        dossier, now = self.queries.show(thread_id), self._context.clock()
        states = [chain.delivery.state for chain in dossier.chains]
        if DeliveryState.HELD not in states:
            follow(states[0], Event.RELEASE)
        link = shares.Share(thread_id, self._context.actor, dossier.events[-1].id, now + lasts)
        return shares.offer(self._context.database.notes, link, now=now)

    def shared(self, code: str) -> tuple[shares.Share, Dossier] | None:
        """Return what such a link shows; None where it is too old, or its thread is decided."""
        share = shares.find(self._context.database.notes, code, now=self._context.clock())
        if share is None:
            return None
        try:
            dossier = self.queries.show(share.thread)
        except NotFoundError:  # it was removed
            return None
        held = any(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)
        return (share, dossier) if held and share.is_open(dossier.events) else None

    async def check(self, channel: str) -> tuple[Finding, ...]:
        """Return what is found of a channel, without posting anything. Raises UnknownChannelError."""
        (found,) = pick(self.channels, [channel])
        return await found.check()

    def agendas(self, zone: ZoneInfo) -> Mapping[str, "Agenda"]:
        """Return what the days hold for each channel, by the clocks of a zone."""
        from threadcast.bot.publishing.agenda import Agenda  # noqa: PLC0415

        rhythms = self._context.rhythms
        return {one.name: Agenda(zone, {one.name: rhythms[one.name]}) for one in self.channels}

    def unshare(self, thread_id: int) -> None:
        """Let no link to a thread open it any more."""
        shares.revoke(self._context.database.notes, thread_id)


def waking(settings: Settings, database: Database) -> Wake:
    """Return how a service of this queue is woken, on this machine or on others."""
    if database.is_file:
        return lambda _: wake_service(settings.data)

    def wake(channels: Collection[str]) -> bool:
        if channels:
            from threadcast.bot.fleet.jobs import put_hints  # noqa: PLC0415  # only on a server, after a change

            put_hints(settings.database_url.get_secret_value(), channels)
        return any_heard_of(database)

    return wake


def build_requests(
    settings: Settings,
    database: Database,
    channels: Sequence[Channel],
    *,
    actor: str,
    clock: Clock = now,
    wake: Wake | None = None,
) -> Requests:
    """Return the requests of one person, on this queue. `wake`: see `RequestContext`."""
    return Requests(
        RequestContext(
            database,
            channels,
            holds=frozenset(channel.name for channel in settings.channels if channel.hold),
            describes=frozenset(one.name for one in settings.channels if one.descriptions == "required"),
            rhythms=rhythms(settings),
            clock=clock,
            actor=actor,
            wake=wake or waking(settings, database),
            attacher=Attacher(open_store(settings)),
            prospects=lambda moment: {
                name: pace.prospect(moment)
                for name, pace in build_paces(settings, channels, database).items()
            },
            zone=settings.timezone,
        )
    )
