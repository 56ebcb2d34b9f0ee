"""What the shell commands share: the settings, the open queue, options and arguments."""

import asyncio
import functools
import getpass
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar
from zoneinfo import ZoneInfo

import click

from threadcast.bot.channels.build import build_channels, open_channels, seen
from threadcast.bot.channels.port import Channel, Clock, now
from threadcast.bot.channels.stored import in_use
from threadcast.bot.data_folder import has_queue, looked_at, prepare
from threadcast.bot.fleet.clock import clock_of
from threadcast.bot.languages import _, language, speak, translated
from threadcast.bot.plain import plain
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.context import waiting
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.shell import completion
from threadcast.bot.shell.data_option import environment
from threadcast.bot.shell.screen import Screen
from threadcast.bot.wording import time_refused
from threadcast.config import logs
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.config.settings import Settings, load
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

if TYPE_CHECKING:
    from threadcast.bot.requests.input import Intake

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")

MANY = 100  # threads of one range
LONG = 10  # digits that no thread's number has; what databases hold ends soon after


def load_settings() -> Settings:
    """Return what is configured, by the environment and `.env`."""
    configured = load(environment(), folder=Path.cwd())
    context = click.get_current_context(silent=True)
    if configured.language and not (context and context.params.get("as_json")):
        speak(configured.language)
    if configured.log_level == "debug":
        logs.configure(configured.log_level, configured.log_format, zone=configured.timezone)
    elif not logging.getLogger().handlers:
        # A command says itself what went wrong with what it was asked for.
        logs.configure_later("error", configured.log_format, zone=configured.timezone)
    return configured


def actor() -> str:
    """Return who types, for the audit log."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no such user, as in many containers
        return f"shell:{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with. Channels make no call, but within `online`."""

    settings: Settings
    database: Database
    requests: Requests
    screen: Screen
    as_json: bool
    clock: Clock

    def online(self, request: Callable[[Requests], Awaitable[T]], *, lately: bool = False) -> T:
        """Return the answer to a request that calls the networks. `lately`: see `build_channels`."""

        async def ask() -> T:
            async with open_channels(self.settings, self.database, self.clock, lately=lately) as channels:
                return await request(self.requests_on(channels))

        return asyncio.run(ask())

    def requests_on(self, channels: Sequence[Channel]) -> Requests:
        """Return the requests on other channels than those that make no call."""
        return build_requests(self.settings, self.database, channels, actor=actor(), clock=self.clock)

    def wake(self) -> bool:
        """Have a running service look at the queue; return whether there is one."""
        return self.requests.wake(())

    def foreseen(self, deliveries: Sequence[Delivery]) -> Mapping[int, Forecast]:
        """Return the forecasts of the queue by delivery, none where nothing of these is queued."""
        if all(one.state is not DeliveryState.QUEUED for one in deliveries):
            return {}
        running = self.wake()  # nothing is promised where none runs
        found = self.requests.queries.forecast()
        return {one.delivery.id: one for one in found if running or one.start is None}


@contextmanager
def open_session(*, as_json: bool, begins: bool = False) -> Iterator[Session]:
    """Open the queue, and let go of it at the end. Where there is none, only one that `begins` makes it."""
    settings = load_settings()
    if not has_queue(settings):
        _say_none(settings, begins=begins, as_json=as_json)
    with closing(prepare(settings)) if begins else looked_at(settings) as database:
        settings = in_use(settings, database.notes)
        channels, clock = build_channels(settings), clock_of(database)
        database.changes.see_channels(seen(settings, channels), now=clock())
        requests = build_requests(settings, database, channels, actor=actor(), clock=clock)
        yield Session(settings, database, requests, Screen(settings.timezone), as_json, clock)


def _say_none(settings: Settings, *, begins: bool, as_json: bool) -> None:
    """Say that there is no queue. One that nobody told us to begin here is asked about, or refused."""
    question = _("There is no queue, and no settings are found. Begin one in {path}?").format(
        path=settings.data
    )
    if begins and not settings.chosen and not confirm(question):
        raise StoreError(Fault.NOT_BEGUN, path=settings.data)
    if not as_json:
        yours = _("If you have one, work in its folder, or name it: --data FOLDER")
        new = _("A new queue begins in {path}.").format(path=settings.data)
        said = new if begins else f"{no_queue(settings)}. {yours}"
        click.echo(plain(said), err=True)


def no_queue(settings: Settings) -> str:
    """Return where the queue would be."""
    return _("There is no queue yet; it would be in {path}").format(path=settings.data)


def in_session(
    command: Callable[Concatenate[Session, ...], None], *, begins: bool = False
) -> Callable[..., None]:
    """Give a command the open queue, and the option JSON; see `open_session`."""

    @JSON
    @functools.wraps(command)
    def run(*, as_json: bool, **words: Any) -> None:
        with open_session(as_json=as_json, begins=begins) as session:
            command(session, **words)

    return run


def _encoding(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    try:
        "".encode(name or "utf-8")
    except LookupError:
        said = _("there is no encoding {name}; as windows-1252, utf-16-le").format(name=name)
        raise click.BadParameter(said) from None
    return name


def read_all(files: Sequence[str], encoding: str = "", media: Path | None = None) -> "list[Intake]":
    """Read and parse every file before anything is done with any. What they name is in `media`, or beside."""
    from threadcast.bot.requests.archives import read_texts  # noqa: PLC0415  # most commands read none

    if "-" in files and sys.stdin.isatty():
        click.echo(_("Type or paste the threads; end with Ctrl-D on a line of its own."), err=True)
    return [one for file in files for one in read_texts(file, sys.stdin.buffer, encoding, media)]


def only_text(intakes: "Sequence[Intake]") -> "Intake":
    """Return the text of what must be one. Raises InputError."""
    if len(intakes) != 1:
        raise InputError(Sentence("there are {number} texts in it; it has to be one", number=len(intakes)))
    return intakes[0]


def parse_at(text: str | None, zone: ZoneInfo, *, hint: str = "--at", clock: Clock = now) -> datetime | None:
    """Return the moment of `--at`, in the configured time zone unless it names an offset."""
    if text is None:
        return None
    try:
        return parse_when(text, now=clock(), zone=zone, farthest=timedelta.max, language=language())
    except WhenError as error:
        raise click.BadParameter(translated(time_refused(error)), param_hint=hint) from None


paused = waiting(now)


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask on a terminal; a script, which has none, has to say --yes.

    Both letters of the reader's language are taken, and y and n.
    """
    if not sys.stdin.isatty():
        return False
    yes, no = _("y"), _("n")
    letters = f"{yes.upper()}/{no}" if default else f"{yes}/{no.upper()}"
    while True:
        said = click.prompt(f"{question} [{letters}]", default="", show_default=False, err=True)
        match said.strip().lower()[:1]:
            case "":
                return default
            case letter if letter in {yes, "y"}:
                return True
            case letter if letter in {no, "n"}:
                return False
        click.echo(_("Answer with {yes} or {no}.").format(yes=yes, no=no), err=True)


class ThreadNumber(click.ParamType[int]):
    """A thread's number, as `queue` and `history` list it; `#7` is 7."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; anything else is wrong usage."""
        digits = str(value).removeprefix("#")
        if not (digits.isascii() and digits.isdigit() and len(digits) < LONG and int(digits)):
            said = _("{text!r} is no thread's number; threadcast queue lists them").format(text=value)
            self.fail(said, param, ctx)
        return int(digits)


class ThreadNumbers(click.ParamType[tuple[int, ...]]):
    """Numbers of threads: `7`, `3-7`, `2,3`."""

    name = "ids"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers, each once; anything else is wrong usage."""
        numbers: list[int] = []
        for word in str(value).split(","):
            first, dash, last = word.partition("-")
            begin = THREAD_NUMBER.convert(first, param, ctx)
            end = THREAD_NUMBER.convert(last, param, ctx) if dash else begin
            if not begin <= end < begin + MANY:
                said = _("{word} is no range of at most {most} threads, as 3-7")
                self.fail(said.format(word=word, most=MANY), param, ctx)
            numbers += range(begin, end + 1)
        return tuple(dict.fromkeys(numbers))


THREAD_NUMBER = ThreadNumber()


def thread_argument(event: str | None = None) -> Callable[[Command], Command]:
    """Return the ID argument; of the queue's threads those are offered that allow `event`."""
    return click.argument(
        "thread_id", metavar="ID", type=THREAD_NUMBER, shell_complete=completion.threads(event)
    )


def threads_argument(event: str) -> Callable[[Command], Command]:
    """Return the argument of a command that takes several threads."""
    return click.argument(
        "threads",
        metavar="ID…",
        nargs=-1,
        required=True,
        type=ThreadNumbers(),
        shell_complete=completion.threads(event),
    )


THREAD = thread_argument()
CHANNEL = click.option(
    "-c",
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    help="Only this channel; may be repeated.",
    shell_complete=completion.channels,
)
ONE_CHANNEL = click.option(
    "-c", "--channel", metavar="NAME", help="Only this channel.", shell_complete=completion.channels
)
FOLLOW = click.option("--follow", is_flag=True, help="Stay, and show how the posts go out.")
LIMIT = click.option(
    "-n", "--limit", type=click.IntRange(1, 10**9), default=None, metavar="N", help="Only the newest N."
)
FORCE = click.option(
    "--force", is_flag=True, help="Also where the post cannot be looked at, or shows another text."
)
YES = click.option("--yes", is_flag=True, help="Do not ask.")
MEDIA = click.option(
    "--media",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the pictures are that the text names, if not beside it.",
)
ENCODING = click.option(
    "--encoding",
    metavar="NAME",
    default="",
    callback=_encoding,
    help="How the text is encoded, where that is not UTF-8.",
)
