"""Who asks the service itself, and not by its public address: a supervisor, Prometheus, a person here.

What they are told is no secret that lets anybody in, and is nobody else's business.
"""

import ipaddress
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.types import Receive, Scope, Send

from threadcast.config.types import is_loopback
from threadcast.config.web import WebSettings

MONITORING: Final = ("/health/", "/metrics")  # no cookie matters there
FORWARDED: Final = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)


def is_direct(request: Request, settings: WebSettings) -> bool:
    """Return whether a request came to the listener itself, and not through a proxy to the public address."""
    if any(name in request.headers for name in FORWARDED):
        return False
    public = urlsplit(settings.url or "").hostname
    return public is None or is_loopback(public) or request.url.hostname != public


class Hosts(TrustedHostMiddleware):
    """Answers to the page's own names alone; to whoever monitors it, at any address of the machine too.

    A name could be anybody's who leads a browser here; an address could not.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(MONITORING):
            with suppress(ValueError):
                ipaddress.ip_address(HTTPConnection(scope).url.hostname or "")
                await self.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
