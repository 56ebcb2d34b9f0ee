"""What the shell commands share: options, the way to the desk, and how a fault is said.

Modules that commands need are imported where they are needed, so that `--help` stays fast.
"""

import getpass
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from threadcast.bot.desk import Desk
    from threadcast.bot.views import Screen
    from threadcast.config.settings import Settings

INPUT, CONFIGURATION, QUEUE, NOT_FOUND, NOT_ALLOWED, CHECK_FAILED = 3, 4, 5, 6, 7, 8


class FaultError(click.ClickException):
    """Something a person can mend: said on standard error, with its own exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # Click declares it for the class, and reads the instance

    def show(self, file: Any = None) -> None:
        click.echo(
            f"{click.style('threadcast:', fg='red')} {self.message}", file=file or sys.stderr, err=True
        )


@contextmanager
def faults(secrets: Collection[str] = ()) -> Iterator[None]:
    """Turn what the house raises into a sentence and an exit code; no secret is in the sentence."""
    from threadcast.bot.desk import InputError, UnknownChannelError
    from threadcast.bot.service import AlreadyRunningError
    from threadcast.config.logs import redact
    from threadcast.config.settings import SettingsError
    from threadcast.queue.states import NotAllowedError
    from threadcast.queue.store import NotFoundError, StoreError

    codes: dict[type[Exception], int] = {
        InputError: INPUT,
        SettingsError: CONFIGURATION,
        AlreadyRunningError: QUEUE,
        NotFoundError: NOT_FOUND,
        StoreError: QUEUE,
        UnknownChannelError: NOT_FOUND,
        NotAllowedError: NOT_ALLOWED,
    }
    try:
        yield
    except tuple(codes) as error:
        code = next(code for kind, code in codes.items() if isinstance(error, kind))
        raise FaultError(redact(str(error), secrets), code) from None


def settings() -> "Settings":
    """What is configured, from the environment and `.env` in the working folder."""
    from threadcast.config.settings import load

    return load(os.environ, folder=Path.cwd())


def actor() -> str:
    """Who types, for the audit log."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no such user, as in many containers
        return f"shell:{os.getuid()}"


@contextmanager
def opened() -> "Iterator[tuple[Settings, Desk, Screen]]":
    """The queue, open, with the desk before it. Channels make no call unless they are asked."""
    from threadcast.bot.service import build_channels, build_desk, now, prepare, seen
    from threadcast.bot.views import Screen

    with faults():
        configured = settings()
    with faults(configured.secrets()), closing(prepare(configured)) as store:
        built = build_channels(configured)
        store.see_channels(seen(configured, built), now=now())
        desk = build_desk(configured, store, built, actor=actor())
        yield configured, desk, Screen(configured.timezone)


def parse_at(text: str | None, zone: Any) -> datetime | None:
    """`--at`: an ISO date and time, in the configured time zone unless it names an offset."""
    if text is None:
        return None
    from threadcast.bot.service import now

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no date and time; write it as 2026-12-24T18:30", param_hint="--at"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment <= now():
        raise click.BadParameter(
            f"{moment.isoformat()} has passed; leave --at out to start now", param_hint="--at"
        )
    return moment


CHANNEL = click.option(
    "-c", "--channel", "channels", multiple=True, metavar="NAME", help="Only this channel; may be repeated."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
THREAD = click.argument("thread_id", metavar="ID", type=click.IntRange(min=1))
