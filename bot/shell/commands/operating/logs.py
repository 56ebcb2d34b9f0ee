"""What the service wrote lately: `logs`."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TextIO

import click

from threadcast.bot.languages import _
from threadcast.bot.shell.context import JSON, LIMIT, THREAD_NUMBER, load_settings
from threadcast.bot.shell.follow import INTERVAL, until_interrupted
from threadcast.bot.shell.screen import Screen
from threadcast.config.log_lines import Lines
from threadcast.config.logs import FILE, OLDER

USUAL = 50  # lines

Record = dict[str, Any]


@click.command()
@click.argument("thread_id", metavar="[ID]", type=THREAD_NUMBER, required=False)
@LIMIT
@click.option("--follow", is_flag=True, help="Stay, and show what comes.")
@JSON
def logs(thread_id: int | None, limit: int | None, follow: bool, as_json: bool) -> None:
    """Show what the service wrote lately.

    The oldest first; of all threads, or of one. What happened to a thread from its first day on is in
    `threadcast events`.

    \b
    Examples:
      threadcast logs
      threadcast logs 7
      threadcast logs --follow
    """
    settings = load_settings()
    path = settings.data / FILE
    show = _shown(Lines(sys.stdout, settings.timezone), as_json=as_json)
    with Reader(path) as newest, Reader(path.with_name(OLDER)) as older:
        lately = [*older.read(), *newest.read()]
        found = [one for one in lately if _is_about(one, thread_id)][-(limit or USUAL) :]
        if as_json and not follow:
            Screen(settings.timezone).json({"lines": found})
            return
        for one in found:
            show(one)
        if follow:
            _follow(newest, lambda one: show(one) if _is_about(one, thread_id) else None)
        elif not found:
            said = _("The service has written nothing in {path} yet; start it: threadcast run")
            click.echo(said.format(path=path), err=True)


def _is_about(one: Record, thread_id: int | None) -> bool:
    return thread_id is None or one.get("thread") == thread_id


def _shown(lines: Lines, *, as_json: bool) -> Callable[[Record], None]:
    def show(one: Record) -> None:
        click.echo(json.dumps(one, ensure_ascii=False) if as_json else lines(None, "", dict(one)))

    return show


def _follow(reader: "Reader", see: Callable[[Record], None]) -> None:
    """Show what is written from now on, until Ctrl-C."""
    try:
        with until_interrupted(INTERVAL) as pause:
            while True:
                for one in reader.read():
                    see(one)
                pause()
    except KeyboardInterrupt:
        click.echo("\n" + _("Nothing was stopped: the service goes on without you."), err=True)
        raise


class Reader:
    """A file that grows, that may come later, and in whose place another may come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> Iterator[Record]:
        """Return what was written since the last time; a line may have been cut by a full disk."""
        yield from self._records()
        if not self._is_there():
            self.__exit__()
            with suppress(OSError):
                self._file = self._path.open(encoding="utf-8", errors="replace")
            yield from self._records()

    def _records(self) -> Iterator[Record]:
        for line in self._file or ():
            with suppress(ValueError):
                one = json.loads(line)
                if isinstance(one, dict):
                    yield one

    def _is_there(self) -> bool:
        if self._file is None:
            return False
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return True  # between two names
