"""What somebody writes on the page: their draft, which is the chat's too, and what is seen of it."""

import asyncio
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response

from threadcast.bot.people.people import Role
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.drafting.drafts import mark
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import Intake, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.queries import Dossier, is_own
from threadcast.bot.requests.threads import SETTABLE
from threadcast.bot.web.rendering import page, part
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.site import Site
from threadcast.bot.web.writing.looks import looks
from threadcast.bot.wording import SHELL, sentence
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.settings import CHOICES
from threadcast.queue.text.thread import Thread

NAME: Final = Sentence("the text")
OWN: Final = 20  # threads that an editor is shown to take back


@dataclass(frozen=True, slots=True)
class Writing:
    """What a form holds: the text, where it shall go out, and the mark of the draft that it was begun with.

    `mine`: it goes before what became of the draft elsewhere.
    """

    text: str
    channels: tuple[str, ...]
    seen: str
    mine: bool = False


class Composer:
    """Where one person writes."""

    def __init__(self, site: Site, visitor: Visitor) -> None:
        self._site = site
        self._visitor = visitor
        self._drafts = site.drafts
        self.requests = site.requests(visitor)

    def begun(self) -> Writing:
        """Return what there is to go on with. Blocks, as do the others that are not awaited."""
        draft = self._drafts.of(self._visitor)
        names = tuple(one.name for one in self._site.channels)
        picked = tuple(one for one in names if draft is None or not draft.channels or one in draft.channels)
        return Writing(draft.text if draft else "", picked, mark(draft))

    def keep(self, one: Writing) -> bool:
        """Keep it; False where the draft became something else meanwhile, which stays."""
        seen = mark(self._drafts.of(self._visitor)) if one.mine else one.seen
        every = {each.name for each in self._site.channels} <= set(one.channels)
        return self._drafts.write(self._visitor, one.text, () if every else one.channels, seen=seen)

    def done(self, one: Writing) -> None:
        """It was added: there is nothing more to write, unless something came to it meanwhile."""
        if mark(self._drafts.of(self._visitor)) == one.seen:
            self._drafts.drop(self._visitor)

    def own(self) -> list[Dossier]:
        """Return the threads that an editor may take back, the newest first."""
        if self._visitor.role is Role.OWNER:
            return []
        held = self.requests.queries.deliveries(frozenset({DeliveryState.HELD}))
        threads = sorted({one.thread_id for one in held if one.code is Code.EDITOR}, reverse=True)
        dossiers = (self.requests.queries.show(one) for one in threads[:OWN])
        return [one for one in dossiers if is_own(one, self._visitor.actor)]

    def read(self, text: str) -> Intake:
        """Return the text as it is added. Raises InputError."""
        return understand(NAME, text.encode())

    async def shown(self, request: Request, one: Writing, *, status: int = 200, **about: Any) -> Response:
        """Return the whole view."""
        own = await asyncio.to_thread(self.own)
        about = {"at": "", "kept": True, "problems": (), "own": own, **about}
        return page(
            request,
            "compose.html",
            status=status,
            names=[each.name for each in self._site.channels],
            anew=None,
            **await self._seen(one),
            **about,
        )

    async def seen(
        self, request: Request, one: Writing, *, problems: Sequence[str] = (), anew: bool = False
    ) -> Response:
        """Keep it, and return how it will look; `anew`: with its text, which is not what was typed."""
        kept = await asyncio.to_thread(self.keep, one)
        about = await self._seen(one)
        return part(request, "compose.html", "seen", kept=kept, problems=problems, anew=anew, **about)

    async def _seen(self, one: Writing) -> dict[str, Any]:
        threads: tuple[Thread, ...] = ()
        problem = ""
        if one.text.strip():
            try:
                threads = await asyncio.to_thread(self._read, one.text)
            except InputError as error:
                problem = sentence(error, SHELL)
        channels = pick(self._site.channels, one.channels) if threads else ()
        previews = await preview_posts(threads, channels)
        draft = await asyncio.to_thread(self._drafts.of, self._visitor)
        return {
            "visitor": self._visitor,
            "text": one.text,
            "lines": one.text.split("\n"),
            "picked": one.channels,
            "seen": mark(draft),
            "problem": problem,
            "threads": threads,
            "looks": looks(threads, previews, self._site.usual, self._site.clock()),
            "settable": SETTABLE,
            "choices": CHOICES,
        }

    def _read(self, text: str) -> tuple[Thread, ...]:
        return tuple(self.requests.files.known(one) for one in self.read(text).threads)


def family_of(name: str, mime: str | None) -> str:
    """Return what a file is said to be: image, video, audio, text, and so on."""
    return (mime or mimetypes.guess_type(name)[0] or "").partition("/")[0]
