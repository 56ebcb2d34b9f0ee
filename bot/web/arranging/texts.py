"""What a thread says: edited while it waits, corrected where it is out, continued behind its last part."""

import asyncio
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from threadcast.bot.differences import differences
from threadcast.bot.languages import N_, _
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import continued, understand
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.rendering import back_to, page
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.sign_in import OwnerLooks, OwnerSends, SiteHere, ThreadNumber
from threadcast.bot.wording import SHELL, listed, sentence
from threadcast.queue.errors import NotAllowedError
from threadcast.queue.states import BEGINNINGS, DeliveryState
from threadcast.queue.text.parse import render

router = APIRouter()

STALE: Final = N_("It was changed meanwhile. Read it anew, then save.")
SHOWN: Final = 40  # changes that are shown before they are made
Text = Annotated[str, Form(max_length=1024 * 1024)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What would be changed, and the question about it."""

    said: str
    lines: list[str]
    yes: str


@router.get("/threads/{thread}/edit")
@router.get("/threads/{thread}/continue")
def write(request: Request, site: SiteHere, visitor: OwnerLooks, thread: ThreadNumber) -> Response:
    """The text of a thread, to be changed; or room for the parts that go on behind it."""
    dossier = site.requests(visitor).queries.show(thread)
    return _form(request, visitor, dossier, "" if _continues(request) else render(dossier.stored.thread))


@router.post("/threads/{thread}/edit")
@router.post("/threads/{thread}/continue")
async def save(
    request: Request,
    site: SiteHere,
    visitor: OwnerSends,
    thread: ThreadNumber,
    text: Text = "",
    was: Annotated[str, Form(max_length=16)] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Give it another text, or parts behind its last one; what is public is asked about first."""
    requests = site.requests(visitor)
    dossier = await asyncio.to_thread(requests.queries.show, thread)
    if was != mark(dossier):
        return _form(request, visitor, dossier, text, problem=_(STALE))
    try:
        if _continues(request):
            asked = await asyncio.to_thread(_continued, requests, dossier, text, sure=sure)
        else:
            asked = await _edited(requests, dossier, text, sure=sure)
    except (InputError, NotAllowedError) as error:
        return _form(request, visitor, dossier, text, problem=sentence(error, SHELL))
    if asked is None:
        return back_to(thread)
    return page(
        request,
        "sure.html",
        visitor=visitor,
        thread=thread,
        heading=f"#{thread} {dossier.stored.thread.title}",
        said=asked.said,
        lines=asked.lines,
        action=request.url.path,
        fields={"text": text, "was": was},
        yes=asked.yes,
    )


async def _edited(requests: Requests, dossier: Dossier, text: str, *, sure: bool) -> _Asked | None:
    number = dossier.stored.id
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


def _continued(requests: Requests, dossier: Dossier, text: str, *, sure: bool) -> _Asked | None:
    intake = understand(_("what you wrote"), text.encode())
    before = dossier.stored.thread
    longer = continued(before, intake)
    out = [one.delivery.channel for one in dossier.chains if one.delivery.state is DeliveryState.PUBLISHED]
    if not out or sure:
        requests.threads.extend(dossier.stored.id, intake)
        return None
    said = _("It is public on {channels}, and goes on there at once. Add these parts?")
    return _Asked(said.format(channels=listed(out)), differences(before, longer, SHOWN), _("Yes, go on"))


def mark(dossier: Dossier) -> str:
    """Return what changes with the text of a thread: who saves says by it which one they read."""
    return f"{zlib.crc32(render(dossier.stored.thread).encode()):08x}"


def may_edit(dossier: Dossier) -> bool:
    """Whether its text can be changed: it is public as a whole, or has not begun anywhere."""
    chains = [one.delivery for one in dossier.chains]
    waits = all(not one.sent and one.state is not DeliveryState.PUBLISHING for one in chains)
    return dossier.is_out or (waits and any(one.state in BEGINNINGS for one in chains))


def _continues(request: Request) -> bool:
    return request.url.path.endswith("/continue")


def _form(request: Request, visitor: Visitor, dossier: Dossier, text: str, *, problem: str = "") -> Response:
    about: dict[str, Any] = {"status": HTTPStatus.UNPROCESSABLE_ENTITY} if problem else {}
    return page(
        request,
        "rewrite.html",
        visitor=visitor,
        dossier=dossier,
        continues=_continues(request),
        text=text,
        was=mark(dossier),
        problem=problem,
        **about,
    )
