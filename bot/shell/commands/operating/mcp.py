"""Tools for assistants, by the Model Context Protocol: `mcp`. An extra: `threadcast[mcp]`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from threadcast.bot import models
from threadcast.bot.channels.build import open_channels
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.errors import InputError, RequestError
from threadcast.bot.requests.input import inspected, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.requests import build_requests
from threadcast.bot.shell.context import Session, actor, open_session
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.web.api.answers import Answer, Changed, Listing, Previews, Receipts
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import redact
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.errors import QueueError
from threadcast.queue.states import DeliveryState

if TYPE_CHECKING:
    from mcp.server import MCPServer

Found = dict[str, Any]

SOURCE: Final = "an assistant"
MOST: Final = 100  # threads of a list
ABOUT: Final = (
    "Threadcast publishes long numbered threads (1/ … 2/ …) as reply chains. Preview a text first. "
    "What you add waits, until a person has seen it and it is approved."
)


@click.command("mcp")
def mcp_() -> None:
    """Offer tools to an assistant on this machine.

    By the Model Context Protocol, on standard input and output: add, preview, list, approve. A program that
    works with assistants starts it. What an assistant adds is held until it is approved.

    \b
    Examples:
      threadcast mcp
    """
    try:
        import mcp.server  # noqa: F401, PLC0415  # an extra
    except ImportError:
        missing = "this needs the package mcp; install it with: pip install 'threadcast[mcp]'"
        raise FaultError(missing, Exit.CONFIGURATION) from None
    with open_session(as_json=True, begins=True) as session:
        asyncio.run(make_server(session).run_stdio_async())


def _plain(one: Answer) -> Found:
    """An answer as it is written: of a model, the package would describe how it is read."""
    return one.model_dump(mode="json")


@contextmanager
def _told() -> Iterator[None]:
    """Tell an assistant what is wrong as a person is told."""
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415

    try:
        yield
    except (QueueError, RequestError, InputError, WhenError) as error:
        raise ToolError(redact(sentence(error, SHELL))) from None


def make_server(session: Session) -> "MCPServer":
    """Return a server of tools for one queue; in the history it is `mcp:` and who runs it."""
    from mcp.server import MCPServer  # noqa: PLC0415
    from mcp.types import ToolAnnotations  # noqa: PLC0415

    settings, database, clock = session.settings, session.database, session.clock
    who = actor().replace("shell:", "mcp:", 1)
    requests = build_requests(settings, database, session.requests.channels, actor=who, clock=clock)
    server = MCPServer("threadcast", instructions=ABOUT, log_level="WARNING")
    looks = ToolAnnotations(read_only_hint=True)

    @server.tool(annotations=looks)
    async def preview(text: str, channels: tuple[str, ...] = ()) -> Found:
        """Show the posts that a text would become on each channel, and what is wrong with it."""
        with _told():
            intake = await asyncio.to_thread(lambda: inspected(understand(SOURCE, text.encode())))
            async with open_channels(settings, database, clock, lately=True) as opened:
                found = await preview_posts(intake.threads, pick(opened, channels))
            threads = models.many(models.Thread, intake.threads)
            return _plain(Previews(threads=threads, previews=models.previews(found)))

    @server.tool()
    def add(text: str, channels: tuple[str, ...] = (), at: str | None = None) -> Found:
        """Put the threads of a text into the queue, held until they are approved.

        Without channels they are meant for all. `at` is a time: fri 18:30, in 2h, 2026-12-24T18:30.
        """
        with _told():
            zone = settings.timezone
            due = None if at is None else parse_when(at, now=clock(), zone=zone, farthest=timedelta.max)
            intake = understand(SOURCE, text.encode())
            receipts = requests.threads.add([intake], channels=channels, at=due, hold=True)
            return _plain(Receipts(threads=models.many(models.Receipt, receipts)))

    @server.tool("list", annotations=looks)
    def list_threads(state: DeliveryState | None = None, limit: int = 20, before: int | None = None) -> Found:
        """List threads, the newest first, with how they stand on each channel; `before` that number."""
        with _told():
            states, most = None if state is None else frozenset({state}), max(1, min(limit, MOST))
            found = requests.queries.newest(most + 1, before=before, states=states)
            threads = models.many(models.Listed, found[:most])
            more = threads[-1].id if len(found) > most else None
            return _plain(Listing(threads=threads, next=more))

    @server.tool()
    def approve(thread: int, channels: tuple[str, ...] = ()) -> Found:
        """Let a held thread go: it becomes public. Only after a person has seen its preview and said yes."""
        with _told():
            changed = requests.changes.publish(thread, channels=channels, now=False)
            refused = models.many(models.Refused, changed.refused)
            return _plain(Changed(deliveries=models.many(models.Delivery, changed), refused=refused))

    return server
