"""The commands of the chat: each is one function, which says here who may give it and how it is typed.

    @command("hold", who=Role.OWNER, about=About.THREADS, takes="ID [channel…]", help="Keep it back")
    def hold(context: Context, request: Request) -> Answer: ...

It runs in a thread of its own, so it may block; one that calls a network is a coroutine. What only buttons
ask for is `@button_only`. Router, /help, the menu and suggestions read the same registry.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from threadcast.bot.channels.media import Upload
from threadcast.bot.channels.port import Channel, Clock, Outgoing
from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import Press, progress
from threadcast.bot.chat.drafts import Sources
from threadcast.bot.chat.views.cards import Viewer, card
from threadcast.bot.chat.views.message import Message, Rows
from threadcast.bot.chat.views.people import Names, named
from threadcast.bot.chat.views.report import states_of
from threadcast.bot.languages import _
from threadcast.bot.people.people import People
from threadcast.bot.requests.drafting.drafts import Drafts
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.queries import Dossier, foreseen_of
from threadcast.bot.requests.requests import Requests
from threadcast.queue.model import Delivery
from threadcast.queue.states import Event
from threadcast.queue.store.notes import Notes

PLANNED_WITHIN: Final = 2.0  # seconds that a card waits for a server to say how long its posts may be


class UsageError(Exception):
    """The request cannot be understood; the message says how it is typed."""


class NotYoursError(Exception):
    """The role of the person does not allow it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, typed or pressed. `words` stand behind the thread and are not read yet.

    `stamp` comes from a button, `page` of a list or a preview too. `message` is the message of ours that the
    button is under, None where it was typed. `text` is what was replied to a question, as it was written, or
    stands in a file that was.
    """

    sender: Sender
    name: str
    threads: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    stamp: str = ""
    page: int = 0
    message: int | None = None
    text: str = ""

    @property
    def thread(self) -> int:
        """The one thread that it is about."""
        return self.threads[0]

    def is_for(self, channel: str) -> bool:
        """Whether a channel is meant: its words name it, or none."""
        return not self.words or channel in {word.lower() for word in self.words}


@dataclass(frozen=True, slots=True)
class Card:
    """A thread as it stands when this is said: the message is its one card in the chat from then on.

    `headline` is what has just happened, `below` what else there is to say, both as HTML; `rows` are buttons
    beside the usual ones. `more`: the buttons that are not asked for most. Once the publisher has taken up
    one of `changed`, the headline of what was changed is out of date, and left out.
    """

    thread: int
    headline: str = ""
    below: str = ""
    rows: Rows = ()
    more: bool = False
    changed: Sequence[Delivery] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as it is said: how far its thread was then, and in which states."""

    thread: int
    title: str
    message: Message
    progress: str
    states: frozenset[str]


class Place(Protocol):
    """Where the work of an answer is done: a chat. Each raises UnreachableError."""

    async def update(self, content: Message) -> None:
        """Change the message of the answer, or of the button."""

    async def send(self, content: Message) -> int:
        """Send a message of its own; its id."""

    async def show(self, outgoing: Outgoing, files: Sequence[Upload]) -> tuple[int, ...]:
        """Send a post as a channel shows it; the ids of its messages, none where that is not possible."""

    async def delete(self, messages: Sequence[int]) -> bool:
        """Delete messages of ours; False where Telegram does not let us."""


Work = Callable[[Place], Awaitable[Message | Card | None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a request.

    `toast` is what a pressed button says. `afresh`: it is a message of its own even where a button was
    pressed, whose message stays. `work` is done afterwards: it is given the place where it says how it goes,
    and its result is the last change of the message. `asked` is the request whose words are what is replied
    to this message. `pins`: this message is the status of its chat from now on; False: none is any more.
    `took` are the threads that came with a message of the person's, which is `came`.
    """

    message: Message | Card | None
    toast: str = ""
    afresh: bool = False
    work: Work | None = None
    asked: Press | None = None
    pins: bool | None = None
    took: tuple[int, ...] = ()
    came: int | None = None


@dataclass(frozen=True)
class Context:
    """What answers are made with. Where `channels` is empty, none is configured yet; they come and go.

    `confirm`: what is sent to the bot is public only after a tap, or at a slot. `take_up` makes the service
    look which channels are stored, `renew_menu` sets the menu of a person anew. `page` is the address of the
    page in a browser, empty where there is none. `previewing` is held, by chat, while messages of a preview
    there come or go.
    """

    requests_of: Callable[[str], Requests]
    channels: Sequence[Channel]
    drafts: Drafts
    notes: Notes
    clock: Clock
    zone: ZoneInfo
    people: People
    confirm: bool = True
    take_up: Callable[[], Awaitable[None]] | None = None
    renew_menu: Callable[[int], object] | None = None
    page: str = ""
    previewing: Mapping[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def sources(self) -> Sources:
        return Sources(self.notes, self.clock)

    def requests(self, sender: Sender) -> Requests:
        return self.requests_of(sender.actor)

    def viewer(self, role: Role, chat: int = 0) -> Viewer:
        """How things are looked at in a chat: a private one has the number of its person."""
        names = Names(f"telegram:{chat}", partial(named, self.people))
        return Viewer(self.clock(), self.zone, role, names, has_page=bool(self.page))

    async def show(self, one: Card, role: Role, chat: int) -> Shown:
        """A card as it is said now in a chat. Raises NotFoundError, StoreError."""
        return await self.show_dossier(await asyncio.to_thread(self.dossier, one.thread), one, role, chat)

    def dossier(self, thread: int) -> Dossier:
        """All there is to know of a thread. Raises NotFoundError, StoreError."""
        return self.requests_of("chat").queries.show(thread)

    async def show_dossier(self, dossier: Dossier, one: Card, role: Role, chat: int) -> Shown:
        """The card of a thread as it stood when it was looked at. Raises StoreError."""
        requests = self.requests_of("chat")
        deliveries = [chain.delivery for chain in dossier.chains]
        foreseen = await asyncio.to_thread(foreseen_of, requests.queries, deliveries)
        posts = await self._planned(dossier)
        fences = {one.id: one.fence for one in deliveries}
        overtaken = any(fences.get(each.id) != each.fence for each in one.changed)
        message = card(
            dossier,
            foreseen,
            self.viewer(role, chat),
            posts=posts,
            headline="" if overtaken else one.headline,
            below=one.below,
            more=one.more,
        )
        message = replace(message, buttons=(*message.buttons, *one.rows))
        title = dossier.stored.thread.title
        return Shown(one.thread, title, message, progress(deliveries), states_of(dossier))

    async def _planned(self, dossier: Dossier) -> Mapping[str, int]:
        """How many posts a thread will be on each channel where that is not stored yet, and is known soon."""
        wanted = {chain.delivery.channel for chain in dossier.chains if not chain.delivery.posts}
        channels = [channel for channel in self.channels if channel.name in wanted]
        with suppress(TimeoutError):
            async with asyncio.timeout(PLANNED_WITHIN):
                found = await preview_posts([dossier.stored.thread], channels)
                return {one.channel: len(one.posts) for one in found}
        return {}


class About(Enum):
    """What a command is about. One about a thread asks which, where no number is given."""

    NOTHING = 0
    THREAD = 1
    THREADS = 2
    DRAFT = 3  # or threads: without a number, what is being pasted


Reply = Callable[[Context, Request], Answer | Awaitable[Answer]]
R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Command:
    """`takes` is what is typed behind the name, `help` a line for all, `more` for /help NAME: see `N_`.

    `events`: it can be asked of threads whose state allows one of these; empty: of all. `typed` is False
    for what only buttons ask for. `guessed`: a misspelt name may be taken for this one; never where it
    publishes or deletes. `of_channels` is the command that does for channels what this does for threads.
    """

    name: str
    who: Role
    reply: Reply
    about: About = About.NOTHING
    takes: str = ""
    help: str = ""
    more: str = ""
    events: frozenset[Event] = frozenset()
    typed: bool = True
    guessed: bool = True
    of_channels: str = ""

    @property
    def usage(self) -> str:
        return f"/{self.name} {_(self.takes)}".rstrip()


REGISTRY: Final[dict[str, Command]] = {}


def command(
    name: str,
    *,
    who: Role,
    help: str,  # noqa: A002  # what it is called everywhere else
    about: About = About.NOTHING,
    takes: str = "",
    more: str = "",
    events: Sequence[Event] = (),
    guessed: bool = True,
    of_channels: str = "",
) -> Callable[[R], R]:
    """Register a function as the reply to a command, and to buttons of its name. See `Command`."""

    def register(reply: R) -> R:
        found = Command(
            name,
            who,
            reply,
            about,
            takes,
            help,
            more,
            frozenset(events),
            guessed=guessed,
            of_channels=of_channels,
        )
        REGISTRY[name] = found
        return reply

    return register


def button_only(*names: str, who: Role) -> Callable[[R], R]:
    """Register a function as the reply to buttons of these names."""

    def register(reply: R) -> R:
        REGISTRY.update({name: Command(name, who, reply, typed=False) for name in names})
        return reply

    return register
