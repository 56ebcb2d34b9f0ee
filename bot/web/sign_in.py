"""Signing in by a link, and out again."""

import ipaddress
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse

from threadcast.bot.languages import _
from threadcast.bot.people import mini_app
from threadcast.bot.people.people import Role
from threadcast.bot.web.rendering import page
from threadcast.bot.web.sessions import APP_LASTS, SESSION_LASTS, Visitor
from threadcast.bot.web.site import Site

router = APIRouter()

LONGEST_HOST: Final = 64  # characters
APP_COOKIE: Final = "__Host-threadcast-app"  # of a session that the bot's menu opened


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
    for name in (APP_COOKIE, cookie_name(site)):
        found = site.sessions.find(request.cookies.get(name, ""))
        if found is not None:
            return found
    raise SignInNeededError


def address_of(request: Request) -> str:
    """Return from where a request comes: an address, or of IPv6 the network that one household has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # what a proxy says
        return host[:LONGEST_HOST]
    if isinstance(address, ipaddress.IPv4Address):
        return host
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


ThreadNumber = Annotated[int, Path(ge=1, lt=10**9)]
SiteHere = Annotated[Site, Depends(site_of)]
SignedIn = Annotated[Visitor, Depends(visitor_of)]


def from_our_form(visitor: SignedIn, csrf: Annotated[str, Form()] = "") -> Visitor:
    """Return who sent a form of ours. Raises HTTPException where it is none."""
    if csrf != visitor.csrf:
        raise HTTPException(HTTPStatus.FORBIDDEN, _("That did not come from this page. Open it anew."))
    return visitor


Sender = Annotated[Visitor, Depends(from_our_form)]


def an_owner(visitor: SignedIn) -> Visitor:
    """Return the owner who is signed in. Raises HTTPException where it is an editor."""
    if visitor.role is not Role.OWNER:
        raise HTTPException(HTTPStatus.FORBIDDEN, _("An owner does that; you may look."))
    return visitor


def from_an_owner(visitor: Sender) -> Visitor:
    """Return the owner who sent a form of ours. Raises HTTPException where it is an editor."""
    return an_owner(visitor)


OwnerLooks = Annotated[Visitor, Depends(an_owner)]
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
    if not site.links.may_try(address_of(request)):
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, _("Too many links were tried. Wait a minute."))
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
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    for name in {APP_COOKIE, cookie_name(site)} & set(request.cookies):
        site.sessions.sign_out(request.cookies[name], everywhere=everywhere)
        answer.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True, samesite="strict")
    return answer


@router.get("/app")
def app(request: Request, site: SiteHere) -> Response:
    """What the bot's menu opens: a script of ours posts what Telegram put behind the #."""
    _token_of(site)
    return page(request, "app.html", visitor=None)


@router.post("/app")
def open_app(
    request: Request, site: SiteHere, init: Annotated[str, Form(max_length=mini_app.LONGEST)] = ""
) -> Response:
    """Sign in who opened it, as Telegram signed it; no other site can do that for them."""
    token = _token_of(site)
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(HTTPStatus.FORBIDDEN, _("That did not come from this page. Open it anew."))
    person = mini_app.signed_by(init, token, now=site.clock())
    if person is None:
        raise HTTPException(
            HTTPStatus.FORBIDDEN, _("That is too old. Close this, and open it from the menu again.")
        )
    secret = site.sessions.open(f"telegram:{person}", APP_LASTS)
    if secret is None:
        raise HTTPException(HTTPStatus.FORBIDDEN, _("You do not steer this bot. Ask an owner for a link."))
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    # Telegram Web shows the page in a frame: kept apart for there, it is no cookie of a third party.
    lasts = int(APP_LASTS.total_seconds())
    cookie = f"{APP_COOKIE}={secret}; Path=/; Max-Age={lasts}; HttpOnly; Secure; SameSite=None; Partitioned"
    answer.headers.append("set-cookie", cookie)
    return answer


def _token_of(site: Site) -> str:
    """The token of the bot from whose menu the page opens. Raises HTTPException where none does."""
    if site.token is None or not site.settings.address.startswith("https:"):
        raise HTTPException(HTTPStatus.NOT_FOUND, _("No bot opens this page: it is not behind https."))
    return site.token.get_secret_value()
