"""Settings of one thread: the options of `add`, and `set`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from threadcast.bot.languages import _
from threadcast.bot.requests.input import Intake
from threadcast.bot.requests.threads import settled
from threadcast.bot.shell import views
from threadcast.bot.shell.context import THREAD, Session, in_session

_HELP = {
    "title": "What the thread is called in lists.",
    "warning": "A content warning on every post.",
    "sensitive": "Whether its media are hidden at first.",
    "language": "The language of its posts: en, de, pt-BR.",
    "visibility": "Who sees the first post: public, unlisted, private, direct.",
    "reply_visibility": "Who sees the other posts.",
    "quotes": "Who may quote it: public, followers, nobody.",
    "numbering": "keep, renumber, total or none.",
    "silent": "Whether its posts make no sound.",
    "previews": "Link previews: first, all or none.",
}
_SWITCHES = {"sensitive": "--sensitive/--no-sensitive", "silent": "--silent/--no-silent"}


def SETTINGS(command: Callable[..., None]) -> Callable[..., None]:  # noqa: N802  # as the other options
    """Give a command the options for what may be settled of a thread, but for those that it has."""
    for name, said in reversed(_HELP.items()):
        if name in _SWITCHES:
            command = click.option(_SWITCHES[name], name, default=None, help=said)(command)
        else:
            option = f"--{name.replace('_', '-')}"
            command = click.option(option, name, metavar=_metavar(name), help=said)(command)
    return command


def _metavar(name: str) -> str:
    return "TEXT" if name in {"title", "warning"} else "CODE" if name == "language" else "WORD"


def with_options(intakes: Sequence[Intake], options: Mapping[str, Any]) -> list[Intake]:
    """Return what was read, each thread with the settings that were typed. Raises InputError."""
    given = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
        if value is not None
    }
    if not given:
        return list(intakes)
    return [replace(one, threads=tuple(settled(each, given) for each in one.threads)) for one in intakes]


@click.command("set")
@THREAD
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")
@in_session
def set_(session: Session, thread_id: int, values: tuple[str, ...]) -> None:
    """Change settings of a thread that has not begun.

    As they may stand before its text: warning, language, visibility and so on. A name with nothing behind
    its = is left to the channels again.

    \b
    Examples:
      threadcast set 7 warning="food, drinks" language=de
      threadcast set 7 warning=
    """
    given: dict[str, str | None] = {}
    for one in values:
        name, sign, value = one.partition("=")
        if not sign:
            said = _("{text!r} has to be NAME=VALUE, as in: threadcast set 7 language=de")
            raise click.UsageError(said.format(text=one))
        given[name.strip().lower().replace("-", "_")] = value.strip() or None
    views.changed(session, session.requests.threads.settings(thread_id, given))
