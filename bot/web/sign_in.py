"""Signing in by a link, and out again."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.people.people import Role
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sessions import SESSION_LASTS, Visitor
from threadcast.bot.web.site import Site

router = APIRouter()


class SignInNeededError(Exception):
    """Nobody is signed in here, or not any more."""


def site_of(request: Request) -> Site:
    """Return what the application was made with."""
    site = request.app.state.site
    assert isinstance(site, Site)  # noqa: S101  # see make_app
    return site


def cookie_name(site: Site) -> str:
    """Return the session cookie's name: behind https no other host of its domain can set it."""
    return "__Host-threadcast" if site.settings.address.startswith("https:") else "threadcast"


def visitor_of(request: Request) -> Visitor:
    """Return who is signed in. Raises SignInNeededError."""
    site = site_of(request)
    found = site.sessions.find(request.cookies.get(cookie_name(site), ""))
    if found is None:
        raise SignInNeededError
    return found


ThreadNumber = Annotated[int, Path(ge=1, lt=10**9)]
SiteHere = Annotated[Site, Depends(site_of)]
SignedIn = Annotated[Visitor, Depends(visitor_of)]


def from_our_form(visitor: SignedIn, csrf: Annotated[str, Form()] = "") -> Visitor:
    """Return who sent a form of ours. Raises HTTPException where it is none."""
    if csrf != visitor.csrf:
        raise HTTPException(HTTPStatus.FORBIDDEN, "That did not come from this page. Open it anew.")
    return visitor


Sender = Annotated[Visitor, Depends(from_our_form)]


def from_an_owner(visitor: Sender) -> Visitor:
    """Return the owner who sent a form of ours. Raises HTTPException where it is an editor."""
    if visitor.role is not Role.OWNER:
        raise HTTPException(HTTPStatus.FORBIDDEN, "An owner does that; you may look.")
    return visitor


OwnerSends = Annotated[Visitor, Depends(from_an_owner)]


@router.get("/sign-in")
def ask(request: Request, site: SiteHere, code: str = "") -> Response:
    """A button, for what opens links to look at them uses none up."""
    good = bool(code) and site.sessions.is_good(code)
    return _asked(request, code if good else "", old=bool(code) and not good)


def _asked(request: Request, code: str, *, old: bool) -> Response:
    status = HTTPStatus.FORBIDDEN if old else HTTPStatus.OK
    return page(request, "sign-in.html", status=status, visitor=None, code=code, old=old)


@router.post("/sign-in")
def sign_in(request: Request, site: SiteHere, code: Annotated[str, Form()] = "") -> Response:
    if not site.links.may_try():
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, "Too many links were tried. Wait a minute.")
    secret = site.sessions.sign_in(code)
    if secret is None:
        return _asked(request, "", old=True)
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        cookie_name(site),
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        secure=site.settings.address.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
def sign_out(
    request: Request,
    site: SiteHere,
    visitor: Sender,  # noqa: ARG001  # only for one who is signed in
    everywhere: Annotated[bool, Form()] = False,
) -> Response:
    name = cookie_name(site)
    site.sessions.sign_out(request.cookies[name], everywhere=everywhere)
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True, samesite="strict")
    return answer
