"""The page in the service's own loop: served while the service runs, and never in its way."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence

import uvicorn

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.people.people import People, Role
from threadcast.bot.publishing.publisher import Observer
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.app import make_app
from threadcast.bot.web.live import Live
from threadcast.bot.web.sessions import Sessions
from threadcast.bot.web.site import Site
from threadcast.config.logs import get_logger
from threadcast.config.settings import Settings
from threadcast.queue.model import Delivery
from threadcast.queue.store.notes import Notes

log = get_logger("threadcast.page")

CLOSE_WITHIN = 1  # seconds that open requests have when the service stops


def build_site(
    settings: Settings,
    channels: Sequence[Channel],
    notes: Notes,
    *,
    requests_of: Callable[[str], Requests],
    broken: Callable[[], Mapping[str, str]],
    clock: Clock,
) -> Site:
    """Return what the page is made with: who steers in the chat steers here, as does this machine's shell."""

    def people() -> People:
        return People(settings.telegram, settings.language or "").read(notes)

    def role_of(actor: str) -> Role | None:
        kind, _, number = actor.partition(":")
        if kind == "shell":
            return Role.OWNER
        return people().roles.get(int(number)) if kind == "telegram" and number.isdecimal() else None

    return Site(
        settings.web,
        channels,
        requests_of,
        Sessions(notes, role_of, clock),
        notes,
        people,
        Live(),
        broken,
        clock,
        settings.timezone,
    )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The service hears signals itself."""
        yield


class Page:
    """`start` after the loop runs; where its port cannot be had, the service goes on without it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        listen = self._site.settings.listen
        assert listen is not None  # noqa: S101  # or there is no page
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        try:
            at = socket.create_server((listen.host, listen.port), family=family)
        except OSError as error:
            log.warning(
                "no page is shown",
                reason=f"{listen}: {error.strerror or error}",
                next="name another place in THREADCAST_WEB__LISTEN, or off",
            )
            return
        given = uvicorn.Config(
            make_app(self._site),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=CLOSE_WITHIN,
        )
        self._server = _Server(given)
        self._running = asyncio.create_task(self._server.serve(sockets=[at]), name="page")
        log.info("page", address=self._site.settings.address, next="sign in: threadcast page")

    def observing(self, observe: Observer) -> Observer:
        """Return an observer of deliveries that tells open pages too."""

        def tell(delivery: Delivery) -> None:
            observe(delivery)
            self.wake()

        return tell

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._site.live.touch()

    async def close(self) -> None:
        """Answer what was asked, for a moment, and end."""
        self._site.live.end()
        if self._server is None or self._running is None:
            return
        self._server.should_exit = True
        await asyncio.wait([self._running])
