"""The page as an ASGI application: its routes, and what holds for every answer."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from threadcast.bot.channels import local
from threadcast.bot.languages import _, speaking
from threadcast.bot.requests.errors import RequestError
from threadcast.bot.web import acts, sign_in, telegram, views
from threadcast.bot.web.api.api import AT, make_api
from threadcast.bot.web.api.problems import kind_of, nowhere
from threadcast.bot.web.arranging import approval, calendar, chains, order, settings, texts
from threadcast.bot.web.channels import views as channels
from threadcast.bot.web.monitoring import health, metrics
from threadcast.bot.web.monitoring.direct import Hosts
from threadcast.bot.web.monitoring.measures import Measures
from threadcast.bot.web.readers import views as readers
from threadcast.bot.web.rendering import refused, spoken
from threadcast.bot.web.sign_in import SignInNeededError
from threadcast.bot.web.site import Site
from threadcast.bot.web.writing import compose, uploads
from threadcast.config.logs import get_logger
from threadcast.queue.errors import QueueError

log = get_logger("threadcast.page")

STATIC: Final = Path(__file__).parent / "static"
LARGEST: Final = 1024 * 1024  # bytes of a request's body
# Of files, whose route looks first who sends them.
LARGEST_AT: Final = {uploads.PATH: uploads.LARGEST}
LOOK: Final = Path(local.__file__).parent / "posts.css"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
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

NO_OTHERS: Final[Mapping[str, str]] = {}

Next = Callable[[Request], Awaitable[Response]]


def make_app(site: Site, measures: Measures | None = None) -> FastAPI:
    """Return the application of a site; `measures` are those that the service counts with."""
    app = FastAPI(title="Threadcast", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    app.state.measures = measures or Measures()
    app.state.measures.registry.register(metrics.QueueCollector(site))
    app.get("/static/posts.css")(_look)
    # An editable install is a tree of links.
    app.mount("/static", StaticFiles(directory=STATIC, follow_symlink=True), name="static")
    app.mount(AT, make_api(site), name="api")
    # The acts come last: theirs is any other word behind a thread.
    rooms = (health, metrics, telegram, sign_in, views, readers, compose, uploads)
    for room in (*rooms, channels, order, texts, settings, chains, approval, calendar, acts):
        app.include_router(room.router)
    app.middleware("http")(_guard)
    app.add_middleware(Hosts, allowed_hosts=_hosts(site), www_redirect=False)
    if site.settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(one) for one in site.settings.proxies])
    app.add_exception_handler(SignInNeededError, _to_sign_in)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(Exception, _broke)
    for kind in (QueueError, RequestError):
        app.add_exception_handler(kind, _refused)
    return app


def _look() -> Response:
    """How posts look, on the page of the local timelines as here."""
    return FileResponse(LOOK, media_type="text/css")


def _hosts(site: Site) -> list[str]:
    """The names by which it is asked for: another one is somebody's who leads a browser here."""
    listen = site.settings.listen
    found = ["localhost", "127.0.0.1", "[::1]", urlsplit(site.settings.address).hostname or ""]
    return [*found, *([listen.host] if listen is not None else [])]


async def _guard(request: Request, answer: Next) -> Response:
    """Refuse what no form of ours sends; no answer is kept, framed, or may fetch anything elsewhere."""
    if request.url.path.startswith(f"{AT}/"):  # it has a guard of its own
        lost = any(one < " " for one in request.scope["path"])  # a mount matches no line break
        return _safely(nowhere() if lost else await answer(request))
    length = request.headers.get("content-length", "0")
    too_large = (
        not length.isdecimal()
        or int(length) > LARGEST_AT.get(request.url.path, LARGEST)
        or "transfer-encoding" in request.headers
    )
    if request.method not in {"GET", "HEAD", "POST"}:
        response = Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED)
    elif too_large:
        response = Response("That is too large.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    else:
        with speaking(spoken(request)):
            response = await answer(request)
    if request.url.path.startswith("/static/") and response.status_code == HTTPStatus.OK:
        response.headers["Cache-Control"] = "public, max-age=3600"
    is_app = request.url.path == "/app" or sign_in.APP_COOKIE in request.cookies
    framed = is_app and request.app.state.site.settings.address.startswith("https:")
    return _safely(response, FRAMED if framed else {})


def _safely(response: Response, other: Mapping[str, str] = NO_OTHERS) -> Response:
    for name, value in {**HEADERS, **other}.items():
        if value:
            response.headers.setdefault(name, value)
    return response


def _to_sign_in(request: Request, error: Exception) -> Response:  # noqa: ARG001  # as every handler
    if "hx-request" in request.headers:  # a fragment cannot lead elsewhere by itself
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)


def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as it is registered
    return refused(request, error.detail, error.status_code)


def _refused(request: Request, error: Exception) -> Response:
    return refused(request, error, kind_of(error).status)


def _broke(request: Request, error: Exception) -> Response:
    # Not as it was asked for: a link may have its secret in it.
    path = getattr(request.scope.get("route"), "path", "")
    log.error("a view of the page broke", path=path, exc_info=error)
    with speaking(spoken(request)):  # the guard has gone
        why = _("Something broke here; the log says what.")
        response = refused(request, why, HTTPStatus.INTERNAL_SERVER_ERROR)
    response.headers.update(HEADERS)
    return response


def _misread(request: Request, error: Exception) -> Response:  # noqa: ARG001  # holds what was sent
    return refused(request, _("Nothing is at that address."), HTTPStatus.NOT_FOUND)
