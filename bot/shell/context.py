"""What the shell commands share: options, the way to the requests, and how a fault is said.

Modules that commands need are imported where they are needed, so that `--help` stays fast.
"""

import getpass
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from threadcast.bot.plain import plain
from threadcast.bot.shell import completion

if TYPE_CHECKING:
    from threadcast.bot.requests.input import Intake
    from threadcast.bot.requests.requests import Requests
    from threadcast.bot.shell.screen import Screen
    from threadcast.config.settings import Settings
    from threadcast.queue.store.database import Database

Command = TypeVar("Command", bound=Callable[..., Any])


class Exit(IntEnum):
    """What the program exits with; the table in docs/commands.md is made of `meaning`."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        one = int.__new__(cls, code)
        one._value_ = code
        one.meaning = meaning
        return one

    DONE = 0, "done"
    FAULT = 1, "a fault of Threadcast's own"
    USAGE = 2, "wrong usage"
    INPUT = 3, "a file cannot be used: missing, no permission, not text, empty, over 20 MB, there already"
    CONFIGURATION = 4, "the configuration is wrong"
    QUEUE = 5, "the queue cannot be used, or another service is running"
    NOT_FOUND = 6, "no such thread or channel"
    NOT_ALLOWED = 7, "the thread's state does not allow it; with `--follow`, it stopped and is not published"
    CHECK_FAILED = 8, "`check` found an error"
    INTERRUPTED = 130, "stopped with Ctrl-C"
    PIPE_CLOSED = 141, "the reader of the output went away (as with `head -1`)"


class FaultError(click.ClickException):
    """Something a person can mend: said on standard error, with its own exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # Click declares it for the class, and reads the instance


@contextmanager
def faults() -> Iterator[None]:
    """Turn what the house raises into a sentence and an exit code; no secret is in the sentence."""
    from threadcast.bot.data_folder import AlreadyRunningError
    from threadcast.bot.requests.context import UnknownChannelError
    from threadcast.bot.requests.input import InputError
    from threadcast.config.logs import redact
    from threadcast.config.settings import SettingsError
    from threadcast.queue.model import NotFoundError, StoreError
    from threadcast.queue.states import NotAllowedError
    from threadcast.queue.store.backup import BackupError

    codes: dict[type[Exception], Exit] = {
        InputError: Exit.INPUT,
        SettingsError: Exit.CONFIGURATION,
        AlreadyRunningError: Exit.QUEUE,
        NotFoundError: Exit.NOT_FOUND,
        BackupError: Exit.INPUT,
        StoreError: Exit.QUEUE,
        UnknownChannelError: Exit.NOT_FOUND,
        NotAllowedError: Exit.NOT_ALLOWED,
    }
    try:
        yield
    except tuple(codes) as error:
        code = next(code for kind, code in codes.items() if isinstance(error, kind))
        raise FaultError(redact(str(error)), code) from None


def settings() -> "Settings":
    """What is configured, from the environment and `.env` in the working folder."""
    from threadcast.config.settings import load

    configured = load(os.environ, folder=Path.cwd())
    _keep_libraries_discreet(configured)
    return configured


def _keep_libraries_discreet(configured: "Settings") -> None:
    """Where nobody is told to, Python itself prints what libraries warn of: answers, tokens and all."""
    if configured.log_level == "debug":
        from threadcast.config import logs

        logs.configure(configured.log_level, configured.log_format)
    elif not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())


def actor() -> str:
    """Who types, for the audit log."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no such user, as in many containers
        return f"shell:{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Office:
    """What a command works with: the settings, the open queue, the requests before it, and the screen."""

    settings: "Settings"
    database: "Database"
    requests: "Requests"
    screen: "Screen"


@contextmanager
def opened() -> "Iterator[Office]":
    """The queue, open, with the requests before it. Channels make no call unless they are asked."""
    from threadcast.bot.data_folder import prepare
    from threadcast.bot.service import build_channels, build_requests, now, seen
    from threadcast.bot.shell.screen import Screen

    with faults():
        configured = settings()
    with faults(), closing(prepare(configured)) as database:
        built = build_channels(configured)
        database.changes.see_channels(seen(configured, built), now=now())
        requests = build_requests(configured, database, built, actor=actor())
        yield Office(configured, database, requests, Screen(configured.timezone))


@asynccontextmanager
async def acting(office: Office) -> "AsyncIterator[Requests]":
    """The requests with channels that make calls, closed at the end."""
    from threadcast.bot.service import build_requests, open_channels

    async with open_channels(office.settings, office.database) as built:
        yield build_requests(office.settings, office.database, built, actor=actor())


def read_all(files: "tuple[str, ...]") -> "list[Intake]":
    """Read and parse every file before anything is done with any."""
    from threadcast.bot.requests.input import read

    if "-" in files and sys.stdin.isatty():
        click.echo("Type or paste the threads; end with Ctrl-D on a line of its own.", err=True)
    return [read(file, sys.stdin.buffer) for file in files]


def parse_at(text: str | None, zone: Any) -> datetime | None:
    """Return the moment of `--at`, in the configured time zone unless it names an offset."""
    if text is None:
        return None
    from threadcast.bot.service import now
    from threadcast.bot.wording import time_refused
    from threadcast.config.schedule.words import WhenError, parse_when

    try:
        return parse_when(text, now=now(), zone=zone, farthest=timedelta.max)
    except WhenError as error:
        raise click.BadParameter(time_refused(error), param_hint="--at") from None


class ThreadNumber(click.ParamType[int]):
    """A thread's number, as `queue` and `history` list it; `#7` is 7."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; anything else is wrong usage."""
        digits = str(value).removeprefix("#")
        if not (digits.isascii() and digits.isdigit() and len(digits) < LONG and int(digits)):
            self.fail(f"{value!r} is no thread's number; threadcast queue lists them", param, ctx)
        return int(digits)


LONG = 10  # digits that no thread's number has; what databases hold ends soon after
THREAD_NUMBER = ThreadNumber()
LIMIT = click.option(
    "-n", "--limit", type=click.IntRange(1, 10**9), default=None, metavar="N", help="Only the newest N."
)


def thread_argument(event: str | None = None) -> Callable[[Command], Command]:
    """The ID argument. Completed with the threads of the queue; of those, the ones that allow `event`."""
    return click.argument(
        "thread_id",
        metavar="ID",
        type=THREAD_NUMBER,
        shell_complete=lambda _context, _parameter, typed: completion.threads(typed, event),
    )


CHANNEL = click.option(
    "-c",
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    help="Only this channel; may be repeated.",
    shell_complete=lambda _context, _parameter, typed: completion.channels(typed),
)
ONE_CHANNEL = click.option(
    "-c",
    "--channel",
    metavar="NAME",
    help="Only this channel.",
    shell_complete=lambda _context, _parameter, typed: completion.channels(typed),
)
FOLLOW = click.option("--follow", is_flag=True, help="Stay, and show how the posts go out.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
THREAD = thread_argument()


def complain(error: click.ClickException, *, as_json: bool) -> None:
    """Say on standard error what is wrong, and how to go on."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        near = f"; did you mean {error.possibilities[0]}?" if error.possibilities else ""
        message = f"there is no option {error.option_name}{near}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        message = _missing(error.param)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        end = "" if message.endswith(("?", ".")) else "."
        message = f"{message}{end} See: {error.ctx.command_path} --help"
    _say(message, error.exit_code, as_json=as_json)


def _missing(parameter: click.Parameter) -> str:
    """What has to be typed that was not."""
    if isinstance(parameter, click.Option):
        return f"say {max(parameter.opts, key=len)} {parameter.metavar or ''}".rstrip()
    if isinstance(parameter.type, ThreadNumber):
        return "say which thread: threadcast queue and threadcast history list their numbers"
    if isinstance(parameter.type, click.Choice):
        return f"say which: {', '.join(parameter.type.choices)}"
    choices = (parameter.metavar or str(parameter.name).upper()).replace("…", "").split("|")
    names = {"FILE": "a FILE", "-": "- for standard input", "ID": "the ID of a thread"}
    return f"name {' or '.join(names.get(choice, choice) for choice in choices)}"


def confess(error: BaseException, *, as_json: bool) -> None:
    """Say that the fault is ours. Where it happened is shown at the log level `debug`, and redacted."""
    import traceback

    from threadcast.config.logs import redact
    from threadcast.config.settings import SettingsError

    debug = False
    with suppress(SettingsError):
        debug = settings().log_level == "debug"
    if debug:
        click.echo(redact("".join(traceback.format_exception(error))).rstrip(), err=True)
    step = "" if debug else "; to see where, run it again with THREADCAST_LOG_LEVEL=debug"
    _say(
        f"something broke ({type(error).__name__}): this is a fault of ours{step}",
        Exit.FAULT,
        as_json=as_json,
    )


def _say(message: str, code: int, *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False), err=True)
        return
    colourless = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    name = "threadcast:" if colourless else click.style("threadcast:", fg="red")
    lines = "\n".join(plain(line) for line in message.split("\n"))
    click.echo(f"{name} {lines}", err=True)
