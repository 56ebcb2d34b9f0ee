"""The page as an ASGI application: its routes, and what holds for every answer."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from threadcast.bot.requests.errors import RequestError, UnknownChannelError
from threadcast.bot.web import acts, compose, health, sign_in, views
from threadcast.bot.web.arranging import approval, calendar, chains, order, texts
from threadcast.bot.web.rendering import refused
from threadcast.bot.web.sign_in import SignInNeededError
from threadcast.bot.web.site import Site
from threadcast.config.logs import get_logger
from threadcast.queue.errors import NotFoundError, QueueError, StoreError

log = get_logger("threadcast.page")

STATIC: Final = Path(__file__).parent / "static"
LARGEST: Final = 1024 * 1024  # bytes of a request's body
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
# Where the bot's menu opened the page, Telegram Web shows it in a frame; nobody else does, and no other page.
FRAMED: Final = {"Content-Security-Policy": f"{POLICY}https://web.telegram.org", "X-Frame-Options": ""}
HEADERS: Final = {
    "Content-Security-Policy": f"{POLICY}'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Next = Callable[[Request], Awaitable[Response]]


def make_app(site: Site) -> FastAPI:
    """Return the application of a site."""
    app = FastAPI(title="Threadcast", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    # An editable install is a tree of links.
    app.mount("/static", StaticFiles(directory=STATIC, follow_symlink=True), name="static")
    # The acts come last: theirs is any other word behind a thread.
    for rooms in (health, sign_in, views, compose, order, texts, chains, approval, calendar, acts):
        app.include_router(rooms.router)
    app.middleware("http")(_guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(site), www_redirect=False)
    app.add_exception_handler(SignInNeededError, _to_sign_in)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(Exception, _broke)
    for kind in (QueueError, RequestError):
        app.add_exception_handler(kind, _refused)
    return app


def _hosts(site: Site) -> list[str]:
    """The names by which it is asked for: another one is somebody's who leads a browser here."""
    listen = site.settings.listen
    found = ["localhost", "127.0.0.1", "[::1]", urlsplit(site.settings.address).hostname or ""]
    return [*found, *([listen.host] if listen is not None else [])]


async def _guard(request: Request, answer: Next) -> Response:
    """Refuse what no form of ours sends; no answer is kept, framed, or may fetch anything elsewhere."""
    length = request.headers.get("content-length", "0")
    too_large = not length.isdecimal() or int(length) > LARGEST or "transfer-encoding" in request.headers
    if request.method not in {"GET", "HEAD", "POST"}:
        response = Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED)
    elif too_large:
        response = Response("That is too large.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    else:
        response = await answer(request)
    is_app = request.url.path == "/app" or sign_in.APP_COOKIE in request.cookies
    framed = FRAMED if is_app and request.app.state.site.settings.address.startswith("https:") else {}
    for name, value in {**HEADERS, **framed}.items():
        if value:
            response.headers.setdefault(name, value)
    if request.url.path.startswith("/static/") and response.status_code == HTTPStatus.OK:
        response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _to_sign_in(request: Request, error: Exception) -> Response:  # noqa: ARG001  # as every handler
    if "hx-request" in request.headers:  # a fragment cannot lead elsewhere by itself
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)


def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as it is registered
    return refused(request, error.detail, error.status_code)


def _refused(request: Request, error: Exception) -> Response:
    match error:
        case NotFoundError() | UnknownChannelError():
            status = HTTPStatus.NOT_FOUND
        case StoreError():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.CONFLICT
    return refused(request, error, status)


def _broke(request: Request, error: Exception) -> Response:
    # Not as it was asked for: a link may have its secret in it.
    path = getattr(request.scope.get("route"), "path", "")
    log.error("a view of the page broke", path=path, exc_info=error)
    response = refused(request, "Something broke here; the log says what.", HTTPStatus.INTERNAL_SERVER_ERROR)
    response.headers.update(HEADERS)
    return response


def _misread(request: Request, error: Exception) -> Response:  # noqa: ARG001  # holds what was sent
    return refused(request, "Nothing is at that address.", HTTPStatus.NOT_FOUND)
