"""Writing a thread: while one types, every channel's posts as a reader will see them; then it is added."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.people.people import Role
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.input import InputError, Intake, understand
from threadcast.bot.requests.preview import Preview, preview_posts
from threadcast.bot.web.rendering import page, part
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.sign_in import Sender, SignedIn, SiteHere
from threadcast.bot.web.site import Site
from threadcast.bot.wording import SHELL, sentence, time_refused
from threadcast.config.schedule.words import WhenError, parse_when

router = APIRouter()

NAME: Final = "the page"  # where the text came from
DRAFT: Final = "page-draft"  # of the notes, with the actor behind it
Text = Annotated[str, Form(max_length=1024 * 1024)]
Names = Annotated[tuple[str, ...], Form()]


@router.get("/compose")
async def write(request: Request, site: SiteHere, visitor: SignedIn) -> Response:
    """The text that this person was writing, and how it would look."""
    text = await asyncio.to_thread(_draft, site, visitor)
    names = [one.name for one in site.channels]
    return page(
        request,
        "compose.html",
        visitor=visitor,
        text=text,
        names=names,
        picked=names,
        at="",
        **await _seen(site, text, ()),
    )


@router.post("/compose/preview")
async def preview(
    request: Request, site: SiteHere, visitor: Sender, text: Text = "", channel: Names = ()
) -> Response:
    """How it would look, and nothing is added; the text is kept for this person."""
    await asyncio.to_thread(_keep, site, visitor, text)
    return part(request, "compose.html", "seen", **await _seen(site, text, channel))


@router.post("/compose")
async def add(
    request: Request,
    site: SiteHere,
    visitor: Sender,
    text: Text = "",
    channel: Names = (),
    at: Annotated[str, Form(max_length=100)] = "",
    hold: Annotated[bool, Form()] = False,
) -> Response:
    """Add it on these channels, and show the thread; what cannot be is said beside the text, which stays."""
    if visitor.role is not Role.OWNER:
        raise HTTPException(HTTPStatus.FORBIDDEN, "An owner adds threads here; write yours to the bot.")
    try:
        thread = await asyncio.to_thread(_add, site, visitor, text, channel, at, hold=hold)
    except (InputError, WhenError) as error:
        said = time_refused(error) if isinstance(error, WhenError) else sentence(error, SHELL)
    else:
        await asyncio.to_thread(site.notes.forget, f"{DRAFT}:{visitor.actor}")
        return RedirectResponse(f"/threads/{thread}" if thread else "/", HTTPStatus.SEE_OTHER)
    return page(
        request,
        "compose.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        visitor=visitor,
        text=text,
        names=[one.name for one in site.channels],
        picked=channel,
        at=at,
        **await _seen(site, text, channel) | {"problem": said},
    )


def _add(site: Site, visitor: Visitor, text: str, names: Names, at: str, *, hold: bool) -> int | None:
    """The thread's number; None where there are several, or it was there already."""
    if not names:
        raise InputError("no channel is chosen; choose where it shall go out")
    moment = parse_when(at, now=site.clock(), zone=site.zone) if at.strip() else None
    receipts = site.requests(visitor).threads.add([_read(text)], channels=names, at=moment, hold=hold)
    added = [one.added.thread_id for one in receipts if one.added.thread_id is not None]
    if not added:
        twin = receipts[0].added.duplicates[0].existing
        raise InputError(f"this text is #{twin.thread_id} already, {twin.state} on {twin.channel}")
    return added[0] if len(added) == 1 else None


def _read(text: str) -> Intake:
    return understand(NAME, text.encode())


async def _seen(site: Site, text: str, names: Names) -> dict[str, Any]:
    """What the template shows of a text; of an empty one nothing."""
    nothing: dict[str, Any] = {"problem": "", "threads": (), "previews": ()}
    if not text.strip():
        return nothing
    try:
        threads = (await asyncio.to_thread(_read, text)).threads
    except InputError as error:
        return nothing | {"problem": sentence(error, SHELL)}
    previews: tuple[Preview, ...] = await preview_posts(threads, pick(site.channels, names))
    return nothing | {"threads": threads, "previews": previews}


def _draft(site: Site, visitor: Visitor) -> str:
    return site.notes.read(f"{DRAFT}:{visitor.actor}").get(0, "")


def _keep(site: Site, visitor: Visitor, text: str) -> None:
    site.notes.write(f"{DRAFT}:{visitor.actor}", 0, text, now=site.clock())
