"""What a thread says: edited while it waits, corrected where it is out, continued behind its last part."""

import asyncio
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.differences import differences
from threadcast.bot.languages import _
from threadcast.bot.people.people import Role
from threadcast.bot.requests.input import InputError, continued, understand
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.sign_in import OwnerSends, SignedIn, SiteHere, ThreadNumber
from threadcast.bot.web.site import Site
from threadcast.bot.wording import SHELL, listed, sentence
from threadcast.queue.errors import NotAllowedError
from threadcast.queue.states import BEGINNINGS, DeliveryState
from threadcast.queue.text.parse import render

router = APIRouter()

SHOWN: Final = 40  # changes that are shown before they are made
Text = Annotated[str, Form(max_length=1024 * 1024)]
Sure = Annotated[bool, Form()]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What would be changed, and the question about it."""

    said: str
    lines: list[str]
    yes: str


@router.get("/threads/{thread}/edit")
@router.get("/threads/{thread}/continue")
def write(request: Request, site: SiteHere, visitor: SignedIn, thread: ThreadNumber) -> Response:
    """The text of a thread, to be changed; or room for the parts that go on behind it."""
    if visitor.role is not Role.OWNER:
        raise HTTPException(HTTPStatus.FORBIDDEN, _("An owner does that; you may look."))
    dossier = site.requests(visitor).queries.show(thread)
    text = render(dossier.stored.thread) if request.url.path.endswith("/edit") else ""
    return _form(request, visitor, dossier, text)


@router.post("/threads/{thread}/edit")
async def edit(
    request: Request,
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    text: Text = "",
    was: Annotated[str, Form(max_length=16)] = "",
    sure: Sure = False,
) -> Response:
    """Give it another text; what is public is changed where it stands, after a question."""
    dossier = await asyncio.to_thread(site.requests(visitor).queries.show, thread)
    if was != mark(dossier):
        return _form(
            request, visitor, dossier, text, problem=_("It was changed meanwhile. Read it anew, then save.")
        )
    try:
        asked = await _edited(site, visitor, dossier, text, sure=sure)
    except (InputError, NotAllowedError) as error:
        return _form(request, visitor, dossier, text, problem=sentence(error, SHELL))
    return _answer(request, visitor, dossier, text, asked)


async def _edited(site: Site, visitor: Visitor, dossier: Dossier, text: str, *, sure: bool) -> _Asked | None:
    requests, number = site.requests(visitor), dossier.stored.id
    if not dossier.is_out:
        await asyncio.to_thread(requests.threads.edit, number, text)
        return None
    correction = await requests.chains.correction(number, text)
    if correction.is_empty:
        return None
    if sure:
        await asyncio.to_thread(requests.chains.correct, correction)
        return None
    out = listed([f"{name} ({count})" for name, count in correction.channels.items()])
    return _Asked(
        _("It is public on {channels}. Change it there, where it stands?").format(channels=out),
        differences(correction.before, correction.after, SHOWN),
        _("Yes, change it"),
    )


@router.post("/threads/{thread}/continue")
def go_on(
    request: Request,
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    text: Text = "",
    was: Annotated[str, Form(max_length=16)] = "",
    sure: Sure = False,
) -> Response:
    """Add parts behind the last one; what would be public at once is asked about."""
    requests = site.requests(visitor)
    dossier = requests.queries.show(thread)
    if was != mark(dossier):
        return _form(
            request, visitor, dossier, text, problem=_("It was changed meanwhile. Read it anew, then save.")
        )
    try:
        intake = understand(_("what you wrote"), text.encode())
        longer = continued(dossier.stored.thread, intake)
        out = [
            one.delivery.channel for one in dossier.chains if one.delivery.state is DeliveryState.PUBLISHED
        ]
        asked = None
        if out and not sure:
            asked = _Asked(
                _("It is public on {channels}, and goes on there at once. Add these parts?").format(
                    channels=listed(out)
                ),
                differences(dossier.stored.thread, longer, SHOWN),
                _("Yes, go on"),
            )
        else:
            requests.threads.extend(thread, intake)
    except (InputError, NotAllowedError) as error:
        return _form(request, visitor, dossier, text, problem=sentence(error, SHELL))
    return _answer(request, visitor, dossier, text, asked)


def mark(dossier: Dossier) -> str:
    """Return what changes with the text of a thread: who saves says by it which one they read."""
    return f"{zlib.crc32(render(dossier.stored.thread).encode()):08x}"


def may_edit(dossier: Dossier) -> bool:
    """Whether its text can be changed: it is public as a whole, or has not begun anywhere."""
    chains = [one.delivery for one in dossier.chains]
    waits = all(not one.sent and one.state is not DeliveryState.PUBLISHING for one in chains)
    return dossier.is_out or (waits and any(one.state in BEGINNINGS for one in chains))


def _answer(
    request: Request, visitor: Visitor, dossier: Dossier, text: str, asked: _Asked | None
) -> Response:
    if asked is None:
        return RedirectResponse(f"/threads/{dossier.stored.id}", HTTPStatus.SEE_OTHER)
    return page(
        request,
        "sure.html",
        visitor=visitor,
        thread=dossier.stored.id,
        heading=f"#{dossier.stored.id} {dossier.stored.thread.title}",
        said=asked.said,
        lines=asked.lines,
        action=request.url.path,
        fields={"text": text, "was": mark(dossier)},
        yes=asked.yes,
    )


def _form(request: Request, visitor: Visitor, dossier: Dossier, text: str, *, problem: str = "") -> Response:
    about: dict[str, Any] = {"status": HTTPStatus.UNPROCESSABLE_ENTITY} if problem else {}
    return page(
        request,
        "rewrite.html",
        visitor=visitor,
        dossier=dossier,
        continues=request.url.path.endswith("/continue"),
        text=text,
        was=mark(dossier),
        problem=problem,
        **about,
    )
