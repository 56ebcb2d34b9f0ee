"""`doctor`: what somebody who helps needs to know, and no secret and no text of a thread."""

import asyncio
import platform
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from threadcast.bot.data_folder import looked_at
from threadcast.bot.languages import _
from threadcast.bot.plain import plain
from threadcast.bot.shell import check as checks
from threadcast.bot.shell.commands.operating.logs import Reader
from threadcast.bot.shell.context import JSON, load_settings
from threadcast.bot.shell.data_option import environment
from threadcast.bot.shell.screen import Screen
from threadcast.bot.wake import wake_service
from threadcast.bot.wording import SHELL, sentence
from threadcast.config import logs
from threadcast.config.logs import FILE, OLDER, redact
from threadcast.config.settings import DEFAULT, Settings, SettingsError, in_force
from threadcast.queue.errors import StoreError
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import STOPPED

LIBRARIES = ("python-telegram-bot", "Mastodon.py", "SQLAlchemy", "APScheduler", "pydantic", "fastapi")
LAST = 20  # faults
FAULTS = ("warning", "error", "critical")
OURS = "threadcast."
FRAME = re.compile(r'File "[^"]*?((?:threadcast|site-packages)/[\w./-]+)", line (\d+), in (\w+)')
ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Refused|Timeout))\b", re.MULTILINE)

Report = dict[str, list[str]]


@click.command()
@JSON
def doctor(as_json: bool) -> None:
    """Collect what an issue needs, with no secret in it.

    Versions, settings without their values, how the queue stands, the last faults, the checks. No secret and
    no text of a thread is in it; channels, servers, folders and accounts are named. Nothing is posted.

    \b
    Examples:
      threadcast doctor
      threadcast doctor > report.md
    """
    logs.configure("error", "auto")  # what is said while it looks is no part of it
    found: Report = {"Versions": list(_versions())}
    try:
        settings = load_settings()
    except SettingsError as error:
        found["Settings"] = [f"{plain(one.variable)}: cannot be used" for one in error.problems]
    else:
        found["Settings"] = list(_settings())
        found["Queue"] = list(_queue(settings))
        found["Faults in the log"] = list(_faults(settings))
        found["Checks"] = [
            f"{about}: {one.level}: {plain(redact(one.what))}"
            for about, one in asyncio.run(checks.examine(settings))
        ]
    if as_json:
        Screen(ZoneInfo("UTC")).json(found)
        return
    said = _("Read it before you paste it: it names channels, servers, folders and accounts.")
    click.echo(said, err=True)
    for title, lines in found.items():
        click.echo("\n".join([f"## {title}", "", *(f"    {redact(line)}" for line in lines or ["none"]), ""]))


def _versions() -> Iterator[str]:
    yield f"threadcast {version('threadcast')}"
    yield f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield f"{platform.system()} {platform.release()} {platform.machine()}"
    yield f"written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _settings() -> Iterator[str]:
    """Say which are set, and where; of values the kinds of channels alone."""
    for one in in_force(environment(), folder=Path.cwd()):
        if one.name.endswith("__KIND"):
            yield f"{one.name}={one.value}"
        elif one.source != DEFAULT:
            yield f"{one.name} is set ({one.source.partition(', as ')[0]})"


def _queue(settings: Settings) -> Iterator[str]:
    yield settings.database_url.get_secret_value().partition(":")[0]
    yield "a service is running here" if wake_service(settings.data) else "no service is running here"
    try:
        with looked_at(settings) as database:
            every = database.reading.deliveries()
    except StoreError as error:
        yield redact(sentence(error, SHELL))
        return
    states = Counter((one.channel, one.state.value) for one in every)
    yield from (f"{channel}: {number} {state}" for (channel, state), number in sorted(states.items()))
    for one in [one for one in every if one.state in STOPPED][-LAST:]:
        why = one.reason.says if isinstance(one.reason, Sentence) else ""
        yield f"#{one.thread_id} on {one.channel}: {one.state} ({one.code}) {why}".rstrip()


def _faults(settings: Settings) -> Iterator[str]:
    """The last warnings and errors of the service: what happened, where it broke; nothing that was named."""
    path = settings.data / FILE
    with Reader(path) as newest, Reader(path.with_name(OLDER)) as older:
        found = [one for one in (*older.read(), *newest.read()) if one.get("level") in FAULTS]
    for one in found[-LAST:]:
        logger = str(one.get("logger", ""))
        # Our own events are fixed words; those of libraries may be anything.
        said = str(one.get("event", "")) if logger.startswith(OURS) else ""
        yield " ".join(filter(None, (str(one.get("timestamp", "")), one["level"], logger, said)))
        yield from (f"  {line}" for line in _trace(one))


def _trace(one: dict[str, Any]) -> Iterator[str]:
    """Where something broke, without the lines of code and without an error's words."""
    trace = str(one.get("exception", ""))
    yield from (f"{place}:{line} {name}" for place, line, name in FRAME.findall(trace))
    yield from ERROR.findall(trace)[-1:]
