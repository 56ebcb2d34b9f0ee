"""What the answers to requests are made with, and what an answer is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.chat.buttons import Asker
from threadcast.bot.chat.commands import Role
from threadcast.bot.chat.drafts import Drafts
from threadcast.bot.chat.views.cards import Look, card
from threadcast.bot.chat.views.message import Said
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.requests.requests import Requests
from threadcast.queue.model import Delivery
from threadcast.queue.store.notes import Notes

T = TypeVar("T")


class AskError(Exception):
    """The request cannot be understood; the message says how it is typed."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, typed or pressed. `words` stand behind the thread and are not read yet.

    `channel` and `stamp` come from a button, `page` of a list or a preview too. `message` is the message
    of ours that the button is under, None where it was typed.
    """

    asker: Asker
    verb: str
    threads: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    channel: str = ""
    stamp: str = ""
    page: int = 0
    message: int | None = None

    @property
    def thread(self) -> int:
        """The one thread that it is about."""
        return self.threads[0]


Update = Callable[[Said], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a request.

    `toast` is what a pressed button says. `afresh`: it is a message of its own even where a button was
    pressed, whose message stays. `live` is the thread that the message goes on to show, and its `progress` as
    it is shown. `work` is done
    afterwards: it is given what changes the message, and its result is the last change.
    """

    said: Said | None
    toast: str = ""
    afresh: bool = False
    live: tuple[int, str] | None = None
    work: Callable[[Update], Awaitable[Said]] | None = None


@dataclass(frozen=True)
class Office:
    """The requests of whoever asks, and what is around. Where `channels` is empty, none is configured yet."""

    requests_of: Callable[[str], Requests]
    channels: Sequence[Channel]
    drafts: Drafts
    notes: Notes
    clock: Clock
    zone: ZoneInfo

    def requests(self, asker: Asker) -> Requests:
        return self.requests_of(asker.actor)

    def look(self, role: Role) -> Look:
        return Look(self.clock(), self.zone, role)

    async def card(self, thread_id: int, asker: Asker, *, headline: str = "") -> Said:
        """How a thread stands now. Raises NotFoundError."""
        return await asyncio.to_thread(self.card_now, thread_id, asker.role, headline=headline)

    def card_now(self, thread_id: int, role: Role, *, headline: str = "") -> Said:
        """The same; it blocks."""
        return self.card_of(self.requests_of("chat").queries.show(thread_id), role, headline=headline)

    def card_of(self, dossier: Dossier, role: Role, *, headline: str = "") -> Said:
        """How a thread stood when it was looked at; it blocks."""
        foreseen = foreseen_of(self.requests_of("chat"), [chain.delivery for chain in dossier.chains])
        return card(dossier, foreseen, self.look(role), headline=headline)


def foreseen_of(requests: Requests, deliveries: Sequence[Delivery]) -> Mapping[int, Forecast]:
    """When these start and end, by their ids; it blocks."""
    wanted = {one.id for one in deliveries}
    waiting = {one.channel for one in deliveries if one.finished is None}
    return {
        one.delivery.id: one
        for channel in waiting
        for one in requests.queries.forecast(channel=channel)
        if one.delivery.id in wanted
    }
