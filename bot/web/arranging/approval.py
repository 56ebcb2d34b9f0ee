"""Approval without an account: a link shows one thread as it will look, with two buttons and nothing else.

Its secret stands for a session and for the token of a form; who does not have it can make neither.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response

from threadcast.bot.languages import _
from threadcast.bot.people.shares import CODE_LENGTH, LASTS, Share
from threadcast.bot.requests.changes import LONGEST_NOTE
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.web.arranging.texts import mark
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sign_in import OwnerSends, SiteHere, ThreadNumber, address_of
from threadcast.bot.web.site import Site
from threadcast.queue.states import DeliveryState, Event

router = APIRouter()

Code = Annotated[str, Path(max_length=CODE_LENGTH)]
NOBODY: Final = "page"  # looks a link up; whose it is, it says itself


@router.post("/threads/{thread}/share")
def share(request: Request, site: SiteHere, visitor: OwnerSends, thread: ThreadNumber) -> Response:
    """Make a link, shown once."""
    code = site.requests(visitor).share(thread)
    link = f"{site.settings.address}/share/{code}"
    return page(request, "shared.html", visitor=visitor, thread=thread, link=link, days=LASTS.days)


@router.get("/share/{code}")
async def look(request: Request, site: SiteHere, code: Code) -> Response:
    """The thread as it will look on each channel where it waits."""
    _share, dossier = await _opened(request, site, code)
    return await _shown(request, site, dossier)


@router.post("/share/{code}")
async def decide(
    request: Request,
    site: SiteHere,
    code: Code,
    approve: Annotated[bool, Form()],
    was: Annotated[str, Form(max_length=16)] = "",
    note: Annotated[str, Form(max_length=4 * LONGEST_NOTE)] = "",
) -> Response:
    """Approve what was shown, or send it back with a note: the link is used up by that."""
    share, dossier = await _opened(request, site, code)
    if was != mark(dossier):
        return await _shown(request, site, dossier, changed=True)
    await asyncio.to_thread(_decide, site, share, note, approve=approve)
    return page(request, "share.html", visitor=None, dossier=dossier, decided=True, approved=approve)


def _decide(site: Site, share: Share, note: str, *, approve: bool) -> None:
    requests = site.requests_of(share.actor)
    if approve:
        requests.changes.apply(share.thread, Event.RELEASE)
    else:
        requests.changes.send_back(share.thread, note)
    requests.unshare(share.thread)


async def _opened(request: Request, site: Site, code: str) -> tuple[Share, Dossier]:
    """What a link shows now. Raises HTTPException where it shows nothing, or too many were tried."""
    found = await asyncio.to_thread(site.requests_of(NOBODY).shared, code)
    if found is not None and site.is_owner(found[0].by):
        return found
    if not site.shares.may_try(address_of(request)):
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, _("Too many links were tried. Wait a minute."))
    raise HTTPException(
        HTTPStatus.NOT_FOUND,
        _("This link shows nothing any more: it is too old, or its thread is decided. Ask for a new one."),
    )


async def _shown(request: Request, site: Site, dossier: Dossier, *, changed: bool = False) -> Response:
    held = [one.delivery.channel for one in dossier.chains if one.delivery.state is DeliveryState.HELD]
    there = [one for one in held if one in {channel.name for channel in site.channels}]
    channels = pick(site.channels, there) if there else ()
    return page(
        request,
        "share.html",
        visitor=None,
        status=HTTPStatus.CONFLICT if changed else HTTPStatus.OK,
        dossier=dossier,
        decided=False,
        changed=changed,
        was=mark(dossier),
        longest=LONGEST_NOTE,
        previews=await preview_posts((dossier.stored.thread,), channels),
    )
