"""What every view of the page is made with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.people.people import People, Role
from threadcast.bot.requests.drafting.drafts import Drafts
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.live import Live
from threadcast.bot.web.sessions import Sessions, Visitor
from threadcast.config.channels import ChannelSettings
from threadcast.config.settings import Settings
from threadcast.config.web import WebSettings
from threadcast.queue.store.notes import Notes


@dataclass(frozen=True)
class Site:
    """`requests_of` gives the requests of an actor, `broken` the lanes that broke, each with why.

    `usual` is what the environment settles for a channel.
    `language` is spoken to everybody; "": that of each browser.
    """

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
    usual: Mapping[str, ChannelSettings]
    drafts: Drafts
    language: str

    def requests(self, visitor: Visitor) -> Requests:
        """Return what a visitor can ask for."""
        return self.requests_of(visitor.actor)


def build_site(
    settings: Settings,
    channels: Sequence[Channel],
    notes: Notes,
    *,
    requests_of: Callable[[str], Requests],
    broken: Callable[[], Mapping[str, str]],
    clock: Clock,
) -> Site:
    """Return what the page is made with: who steers in the chat steers here, as does this machine's shell."""

    def people() -> People:
        return People(settings.telegram, settings.language or "").read(notes)

    def role_of(actor: str) -> Role | None:
        kind, _, number = actor.partition(":")
        if kind == "shell":
            return Role.OWNER
        return people().roles.get(int(number)) if kind == "telegram" and number.isdecimal() else None

    return Site(
        settings.web,
        channels,
        requests_of,
        Sessions(notes, role_of, clock),
        notes,
        people,
        Live(),
        broken,
        clock,
        settings.timezone,
        {one.name: one for one in settings.channels},
        Drafts(notes, clock),
        settings.language or "",
    )
