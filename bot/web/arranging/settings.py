"""What is settled for one thread alone, in a form; and a thread that is forgotten."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.languages import _
from threadcast.bot.plain import capital
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.requests.threads import SETTABLE
from threadcast.bot.settled import shown
from threadcast.bot.web.arranging.texts import STALE, mark
from threadcast.bot.web.rendering import back_to, page
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.web.sign_in import OwnerLooks, OwnerSends, SiteHere, ThreadNumber
from threadcast.bot.web.site import Site
from threadcast.bot.wording import SHELL, sentence
from threadcast.queue.errors import NotAllowedError
from threadcast.queue.text.settings import CHOICES, LONGEST_LINE, expected

router = APIRouter(prefix="/threads/{thread}")


@router.get("/settings")
def look(request: Request, site: SiteHere, visitor: OwnerLooks, thread: ThreadNumber) -> Response:
    """Each setting with its value; empty: as the channels have it."""
    dossier = site.requests(visitor).queries.show(thread)
    return _form(request, visitor, dossier, _values(dossier))


@router.post("/settings")
async def settle(request: Request, site: SiteHere, visitor: OwnerSends, thread: ThreadNumber) -> Response:
    """Change those that have another value now, and no others."""
    sent = await request.form()
    given = {name: " ".join(str(sent[name]).split()) for name in SETTABLE if name in sent}
    return await asyncio.to_thread(_settle, request, site, visitor, thread, given, str(sent.get("was", "")))


def _settle(
    request: Request, site: Site, visitor: Visitor, thread: int, given: dict[str, str], was: str
) -> Response:
    requests = site.requests(visitor)
    dossier = requests.queries.show(thread)
    before = _values(dossier)
    if was != mark(dossier):
        return _form(request, visitor, dossier, before | given, _(STALE))
    changed = {name: value or None for name, value in given.items() if value != before[name]}
    try:
        if changed:
            requests.threads.settings(thread, changed)
    except (InputError, NotAllowedError) as error:
        return _form(request, visitor, dossier, before | given, capital(sentence(error, SHELL)))
    return back_to(thread)


@router.post("/remove")
def remove(
    site: SiteHere, visitor: OwnerSends, thread: ThreadNumber, sure: Annotated[bool, Form()] = False
) -> Response:
    """Forget it, where nothing of it was sent."""
    if not sure:
        return back_to(thread)
    site.requests(visitor).threads.remove(thread)
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


def _values(dossier: Dossier) -> dict[str, str]:
    given = dossier.stored.thread.settings.given()
    return {name: shown(given[name]) if name in given else "" for name in SETTABLE}


def _form(
    request: Request, visitor: Visitor, dossier: Dossier, values: dict[str, str], problem: str = ""
) -> Response:
    return page(
        request,
        "settings.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        visitor=visitor,
        dossier=dossier,
        was=mark(dossier),
        values=values,
        choices=CHOICES,
        expected={name: expected(name) for name in SETTABLE},
        longest=LONGEST_LINE,
        problem=problem,
    )
