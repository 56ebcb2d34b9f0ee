"""What every view of the page is made with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.people.people import People
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.live import Live
from threadcast.bot.web.sessions import Sessions, Visitor
from threadcast.config.web import WebSettings
from threadcast.queue.store.notes import Notes


@dataclass(frozen=True)
class Site:
    """`requests_of` gives the requests of an actor, `broken` the lanes that broke, each with why."""

    settings: WebSettings
    channels: Sequence[Channel]
    requests_of: Callable[[str], Requests]
    sessions: Sessions
    notes: Notes
    people: Callable[[], People]
    live: Live
    broken: Callable[[], Mapping[str, str]]
    clock: Clock
    zone: ZoneInfo

    def requests(self, visitor: Visitor) -> Requests:
        """Return what a visitor can ask for."""
        return self.requests_of(visitor.actor)

    def now(self) -> datetime:
        return self.clock()
