"""Writing a thread: while one types, every channel's posts as a reader will see them; then it is added."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.languages import _, language
from threadcast.bot.people.people import Role
from threadcast.bot.requests.drafting.text import described, with_setting, without_line
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.queries import is_own
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.sign_in import Sender, SignedIn, SiteHere, from_our_form
from threadcast.bot.web.site import Site
from threadcast.bot.web.writing.composer import Composer, Writing
from threadcast.bot.wording import SHELL, STATES, sentence
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.states import Event

router = APIRouter()

OURS = [Depends(from_our_form)]
LINES = 10**6  # more than a text may have
Line = Annotated[int, Form(ge=1, lt=LINES)]
Word = Annotated[str, Form(max_length=2000)]


def written(
    text: Annotated[str, Form(max_length=1024 * 1024)] = "",
    channel: Annotated[tuple[str, ...], Form()] = (),
    seen: Word = "",
    mine: Annotated[bool, Form()] = False,
) -> Writing:
    """Return what a form of ours holds; a browser sends lines as mail does."""
    return Writing(text.replace("\r\n", "\n"), channel, seen, mine)


def composer_of(site: SiteHere, visitor: SignedIn) -> Composer:
    return Composer(site, visitor)


Written = Annotated[Writing, Depends(written)]
ComposerHere = Annotated[Composer, Depends(composer_of)]


@router.get("/compose")
async def write(request: Request, composer: ComposerHere) -> Response:
    """The text that this person was writing, here or in the chat, and how it would look."""
    return await composer.shown(request, await asyncio.to_thread(composer.begun))


@router.post("/compose/preview", dependencies=OURS)
async def preview(request: Request, composer: ComposerHere, one: Written) -> Response:
    """How it would look, and nothing is added; the text is kept for this person."""
    return await composer.seen(request, one)


@router.post("/compose/describe", dependencies=OURS)
async def describe(
    request: Request, composer: ComposerHere, one: Written, line: Line, description: Word = ""
) -> Response:
    """Say what can be seen in the file of a line."""
    return await _changed(request, composer, one, partial(described, one.text, line, description))


@router.post("/compose/leave-out", dependencies=OURS)
async def leave_out(request: Request, composer: ComposerHere, one: Written, line: Line) -> Response:
    """Do not show the file of a line."""
    return await _changed(request, composer, one, partial(without_line, one.text, line))


@router.post("/compose/set", dependencies=OURS)
async def settle(
    request: Request, composer: ComposerHere, one: Written, name: Word, value: Word = ""
) -> Response:
    """Change a setting of the thread."""
    return await _changed(request, composer, one, partial(with_setting, one.text, name, value))


async def _changed(request: Request, composer: Composer, one: Writing, change: Callable[[], str]) -> Response:
    try:
        new = replace(one, text=await asyncio.to_thread(change))
    except InputError as error:
        return await composer.seen(request, one, problems=[sentence(error, SHELL)])
    return await composer.seen(request, new, anew=True)


@router.post("/compose")
async def add(
    request: Request,
    site: SiteHere,
    visitor: Sender,
    composer: ComposerHere,
    one: Written,
    at: Annotated[str, Form(max_length=100)] = "",
    hold: Annotated[bool, Form()] = False,
) -> Response:
    """Add it on these channels, and show the thread; what cannot be is said beside the text, which stays."""
    try:
        thread = await asyncio.to_thread(_add, site, visitor, composer, one, at, hold=hold)
    except (InputError, WhenError) as error:
        said = sentence(error, SHELL)
    else:
        await asyncio.to_thread(composer.done, one)
        return RedirectResponse(f"/threads/{thread}" if thread else "/", HTTPStatus.SEE_OTHER)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return await composer.shown(request, one, status=status, at=at, problems=[said])


def _add(
    site: Site, visitor: Visitor, composer: Composer, one: Writing, at: str, *, hold: bool
) -> int | None:
    """The thread's number; None where there are several, or it was there already."""
    if not one.channels:
        raise InputError(_("no channel is chosen; choose where it shall go out"))
    moment = parse_when(at, now=site.clock(), zone=site.zone, language=language()) if at.strip() else None
    receipts = composer.requests.threads.add(
        [composer.read(one.text)],
        channels=one.channels,
        at=moment,
        hold=hold,
        by_editor=visitor.role is Role.EDITOR,
    )
    added = [each.added.thread_id for each in receipts if each.added.thread_id is not None]
    if not added:
        twin = receipts[0].added.duplicates[0].existing
        said = _("this text is #{thread} already, on {channel}: {state}")
        raise InputError(
            said.format(thread=twin.thread_id, channel=twin.channel, state=_(STATES[twin.state]))
        )
    return added[0] if len(added) == 1 else None


@router.post("/compose/take-back")
def take_back(
    visitor: Sender,
    composer: ComposerHere,
    thread: Annotated[int, Form(ge=1, lt=10**9)],
) -> Response:
    """Take a thread out of the queue that this editor added, as long as nothing of it has begun."""
    if visitor.role is not Role.OWNER and not is_own(composer.requests.queries.show(thread), visitor.actor):
        raise HTTPException(HTTPStatus.FORBIDDEN, _("An owner does that; you take back what you added."))
    composer.requests.changes.apply(thread, Event.CANCEL)
    return RedirectResponse("/compose", HTTPStatus.SEE_OTHER)
