"""What every view of the page is made with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.people.people import People, Role
from threadcast.bot.requests.drafting.drafts import Drafts
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.arranging.operations import Operations
from threadcast.bot.web.channels.checks import Checks
from threadcast.bot.web.live import Live
from threadcast.bot.web.sessions import Sessions, Tries, Visitor
from threadcast.config.channels import ChannelSettings
from threadcast.config.settings import Settings
from threadcast.config.web import WebSettings
from threadcast.queue.store.notes import Notes

# Takes an update of Telegram's, with the secret that came with it.
Hear = Callable[[str, bytes], Awaitable[HTTPStatus]]


async def nobody(_secret: str, _body: bytes) -> HTTPStatus:
    """Where nobody hears a bot."""
    return HTTPStatus.NOT_FOUND


@dataclass(frozen=True)
class Site:
    """`requests_of` gives the requests of an actor, `broken` what broke, each with why.

    `usual` is what the environment settles for a channel. `hear` takes what Telegram brings.
    `token` is that of the bot from whose menu the page opens, None where there is none. `links` and `shares`
    count the links of either kind that are tried. `language` is spoken to everybody; "": each browser's own.
    """

    settings: WebSettings
    token: SecretStr | None
    channels: Sequence[Channel]
    requests_of: Callable[[str], Requests]
    sessions: Sessions
    links: Tries
    shares: Tries
    is_owner: Callable[[str], bool]
    notes: Notes
    people: Callable[[], People]
    live: Live
    operations: Operations
    checks: Checks
    broken: Callable[[], Mapping[str, str]]
    clock: Clock
    zone: ZoneInfo
    usual: Mapping[str, ChannelSettings]
    drafts: Drafts
    language: str
    hear: Hear = nobody

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
    hear: Hear = nobody,
) -> Site:
    """Return what the page is made with: who steers in the chat steers here, as does this machine's shell."""

    def people() -> People:
        return People(settings.telegram, settings.language or "").read(notes)

    def role_of(actor: str) -> Role | None:
        kind, _, number = actor.partition(":")
        if kind == "shell":
            return Role.OWNER
        return people().roles.get(int(number)) if kind == "telegram" and number.isdecimal() else None

    live = Live()
    return Site(
        settings.web,
        settings.telegram.token if settings.chatting else None,
        channels,
        requests_of,
        Sessions(notes, role_of, clock),
        Tries(clock),
        Tries(clock),
        lambda actor: role_of(actor) is Role.OWNER,
        notes,
        people,
        live,
        Operations(live),
        Checks(clock),
        broken,
        clock,
        settings.timezone,
        {one.name: one for one in settings.channels},
        Drafts(notes, clock),
        settings.language or "",
        hear,
    )
