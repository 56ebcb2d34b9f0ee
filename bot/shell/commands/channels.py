"""Channels: `channels`, `pause`, `resume`."""

from collections.abc import Sequence
from functools import partial

import click

from threadcast.bot import models
from threadcast.bot.languages import _
from threadcast.bot.shell import completion, views
from threadcast.bot.shell.context import Session, in_session
from threadcast.queue.model import ChannelRow

NAMES = click.argument("names", nargs=-1, metavar="[CHANNEL…]", shell_complete=completion.channels)


@click.command()
@in_session
def channels(session: Session) -> None:
    """List the channels, configured and remembered.

    \b
    Examples:
      threadcast channels
      threadcast channels --json
    """
    rows, configured = session.requests.queries.channels(), session.requests.queries.configured
    if session.as_json:
        session.screen.json({"channels": models.channels(rows, configured)})
    else:
        views.channels(session.screen, rows, configured)


@click.command()
@NAMES
@partial(in_session, begins=True)
def pause(session: Session, names: tuple[str, ...]) -> None:
    """Publish nothing more on a channel, or on all.

    The post in hand is finished; the rest waits for `threadcast resume`.

    \b
    Examples:
      threadcast pause
      threadcast pause news
    """
    _say(session, session.requests.changes.pause(names))


@click.command()
@NAMES
@partial(in_session, begins=True)
def resume(session: Session, names: tuple[str, ...]) -> None:
    """Let paused channels go on.

    \b
    Examples:
      threadcast resume
      threadcast resume news
    """
    _say(session, session.requests.changes.pause(names, paused=False))


def _say(session: Session, rows: Sequence[ChannelRow]) -> None:
    if session.as_json:
        session.screen.json({"channels": models.channels(rows, session.requests.queries.configured)})
        return
    running = session.wake()
    for row in rows:
        if row.paused:
            said = _("{channel} is paused; to go on: {command}.")
        else:
            said = _("{channel} is ready; what is due starts now.") if running else _("{channel} is ready.")
        session.screen.say(said.format(channel=row.name, command=f"threadcast resume {row.name}"))
    if not running and not all(row.paused for row in rows):
        session.screen.say(_(views.NO_SERVICE))
