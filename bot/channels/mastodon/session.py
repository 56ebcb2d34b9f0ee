"""Mastodon.py's way to its server: a new connection for each request, which waits there at its gate."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from threadcast.bot.publishing.gate import Gate, HeldBackError

# Seconds that a new connection may stand idle at a gate. Servers and what stands before them give up one on
# which nothing is asked after five seconds at the least.
FRESH = 1.0


class Session(requests.Session):
    """Makes each request on a connection of its own and follows no redirect; notes an answer's headers.

    What is sent passes `gate` when it has its connection: one that cannot be made leaves no doubt.

    A kept connection may have died unseen. That would show only after a post was written into it, when
    nobody can tell any more whether it arrived; a new one fails while it is made.
    """

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.max_redirects = 0  # a POST would go on as a GET, and return somebody's status
        self.trust_env = not plain  # plain http stays on this machine, where no proxy is
        self.headers["Connection"] = "close"
        self.answered: Mapping[str, str] = {}
        self.deleted = False  # by the request that was answered
        self.gate = Gate()
        self.hooks["response"].append(self._note)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(lambda: self.gate))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        # Mastodon.py asks for `/api/v2/instance/`; GoToSocial redirects what ends with a slash.
        request.url = str(request.url).rstrip("/")
        return super().prepare_request(request)

    def _note(self, response: requests.Response, **_: object) -> None:
        self.answered = response.headers
        self.deleted = response.request.method == "DELETE"


class _Adapter(HTTPAdapter):
    """Makes connections, through whatever proxy, that wait at the gate of the request which they are for."""

    def __init__(self, gate: Callable[[], Gate]) -> None:
        self._gate = gate
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        assert isinstance(pool, HTTPConnectionPool)  # noqa: S101  # there is no other kind
        if not issubclass(pool.ConnectionCls, _Gated):
            pool.ConnectionCls = type(
                "Gated", (_Gated, pool.ConnectionCls), {"gate": staticmethod(self._gate)}
            )
        return pool


class _Gated(HTTPConnection):
    """A connection that is made before its request passes the gate."""

    gate: Callable[[], Gate]

    def request(self, *args: Any, **kwargs: Any) -> None:
        gate = self.gate()
        if self.is_closed:
            self.connect()
        if not gate.wait(FRESH):
            raise HeldBackError("the disk takes too long")
        gate.go()
        super().request(*args, **kwargs)
