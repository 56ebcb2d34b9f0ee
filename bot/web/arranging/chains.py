"""Chains that are out, or may be: a doubt settled, posts taken down, compared, edited back, mended."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from threadcast.bot.languages import _
from threadcast.bot.plain import capital
from threadcast.bot.publishing.takedown import Undoing
from threadcast.bot.requests.context import waiting
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.web.arranging.operations import Operation
from threadcast.bot.web.rendering import back_to, page
from threadcast.bot.web.sign_in import OwnerSends, SiteHere, ThreadNumber
from threadcast.bot.web.site import Site
from threadcast.bot.wording import CHAT, sentence

router = APIRouter()

Channel = Annotated[str, Form(max_length=200)]


@router.post("/threads/{thread}/settle")
async def settle(
    request: Request,
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    channel: Channel,
    out: Annotated[bool, Form()],
    address: Annotated[str, Form(max_length=500)] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Whether the post in doubt is out, as a person saw it; a link that may be another's is asked about."""
    chains = site.requests(visitor).chains
    if out and not address.strip():
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY, _("Open the post, copy its link, and give it here.")
        )
    try:
        await chains.settle(thread, address if out else None, channels=[channel], force=sure)
    except RefusedError as error:
        if error.problem is not Problem.NOT_THE_POST or sure:
            raise
        return page(
            request,
            "sure.html",
            visitor=visitor,
            thread=thread,
            heading=_("Is it that post?"),
            said=capital(sentence(error, CHAT)),
            lines=(),
            action=f"/threads/{thread}/settle",
            fields={"channel": channel, "out": "true", "address": error.names[1]},
            yes=_("It is that one"),
        )
    return back_to(thread)


@router.post("/threads/{thread}/undo")
async def undo(
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    channel: Channel = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Take its posts down, the newest first, on one channel or all."""
    requests, names = site.requests(visitor), (channel,) if channel else ()
    if not sure:
        return back_to(thread)
    _require_idle(site, thread)
    await asyncio.to_thread(requests.changes.withdraw, thread, channels=names)

    async def work(operation: Operation) -> None:
        def see(one: Undoing) -> None:
            operation.undone[one.delivery.channel] = one
            site.operations.told()

        await requests.chains.undo(thread, channels=names, see=see, pause=waiting(site.clock))

    site.operations.begin(thread, work)
    return back_to(thread)


@router.post("/threads/{thread}/audit")
async def audit(site: SiteHere, visitor: OwnerSends, thread: ThreadNumber) -> Response:
    """Compare its chains with what the networks show."""
    _require_idle(site, thread)
    requests = site.requests(visitor)

    async def work(operation: Operation) -> None:
        operation.audits = await requests.chains.audit(thread, pause=waiting(site.clock))

    site.operations.begin(thread, work)
    return back_to(thread)


@router.post("/threads/{thread}/edit-back")
async def edit_back(site: SiteHere, visitor: OwnerSends, thread: ThreadNumber) -> Response:
    """Have what is public say again what is stored: it is looked at anew before."""
    _require_idle(site, thread)
    requests = site.requests(visitor)

    async def work(operation: Operation) -> None:
        found = await requests.chains.audit(thread, pause=waiting(site.clock))
        if any(one.problem for one in found):
            operation.audits = found
            return
        correction = await requests.chains.back(thread, found)
        operation.unchanged = correction.is_empty
        if not correction.is_empty:
            await asyncio.to_thread(requests.chains.correct, correction)

    site.operations.begin(thread, work)
    return back_to(thread)


@router.post("/threads/{thread}/mend")
async def mend(site: SiteHere, visitor: OwnerSends, thread: ThreadNumber, channel: Channel = "") -> Response:
    """Go on behind the last post that is still there."""
    await site.requests(visitor).chains.mend(thread, channels=[channel] if channel else [])
    return back_to(thread)


def _require_idle(site: Site, thread: int) -> None:
    if site.operations.is_busy(thread):
        raise HTTPException(
            HTTPStatus.CONFLICT, _("Something goes on with it already. Wait until that is done.")
        )
