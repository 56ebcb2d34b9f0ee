"""What is offered at the Tab key: threads with their titles, and the names of channels.

It reads what is there, makes nothing, and on any trouble offers nothing: nobody asked a question, and an
answer would garble the line that is being typed.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from click import Context, Parameter
from click.shell_completion import CompletionItem

from threadcast.bot.channels.stored import in_use
from threadcast.bot.shell.data_option import environment
from threadcast.config.settings import SettingsError, load
from threadcast.queue.errors import StoreError
from threadcast.queue.states import TRANSITIONS
from threadcast.queue.store.database import open_database

MOST = 100  # threads; more than a person reads

TROUBLE = (SettingsError, StoreError, OSError)

Complete = Callable[[Context, Parameter, str], list[CompletionItem]]


def threads(event: str | None = None) -> Complete:
    """Offer the newest threads whose number begins with what was typed; those that allow `event`."""
    states = {state for state, each in TRANSITIONS if each == event}

    def complete(context: Context, _parameter: Parameter, typed: str) -> list[CompletionItem]:
        with suppress(*TROUBLE):
            url = load(environment(context), folder=Path.cwd()).database_url.get_secret_value()
            with closing(open_database(url, create=False)) as database:
                found = database.reading.deliveries(states=frozenset(states) or None)
            titles = {one.thread_id: one.title for one in found if str(one.thread_id).startswith(typed)}
            newest = sorted(titles, reverse=True)[:MOST]
            return [CompletionItem(str(one), help=_on_one_line(titles[one])) for one in newest]
        return []

    return complete


def channels(context: Context, _parameter: Parameter, typed: str) -> list[CompletionItem]:
    """Offer the configured channels that begin with what was typed."""
    with suppress(*TROUBLE):
        settings = load(environment(context), folder=Path.cwd())
        url = settings.database_url.get_secret_value()
        with suppress(StoreError), closing(open_database(url, create=False)) as database:
            settings = in_use(settings, database.notes)
        names = [one.name for one in settings.channels]
        return [CompletionItem(name) for name in names if name.startswith(typed)]
    return []


def files(_context: Context, _parameter: Parameter, typed: str) -> list[CompletionItem]:
    """Leave the names of files to the shell."""
    return [CompletionItem(typed, type="file")]


def _on_one_line(title: str) -> str:
    """Return a title as a short field that breaks no shell's protocol and drives no terminal."""
    shown = "".join(char if char.isprintable() else " " for char in title)
    return " ".join(shown.split())[:60] or "(no text)"
