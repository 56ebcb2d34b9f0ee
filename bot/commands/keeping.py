"""Keeping a copy of the queue: `backup`, `restore`."""

from pathlib import Path
from shlex import quote

import click

from threadcast.bot.shell import JSON, actor, faults, settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def backup(file: Path, as_json: bool) -> None:
    """Copy the queue into a new FILE.

    As it is at this moment; the service may go on running.

    \b
    Examples:
      threadcast backup queue.backup
      threadcast backup "queue-$(date +%F).backup"
    """
    with faults():
        configured = settings()
    with faults(configured.secrets()):
        from threadcast.bot.screen import Screen, safe
        from threadcast.queue.sql.backup import backup as make

        make(configured.database_url.get_secret_value(), file)
        size = file.stat().st_size
    screen = Screen(configured.timezone)
    if as_json:
        screen.json({"file": str(file), "bytes": size})
    else:
        screen.say(f"The queue is in {safe(str(file))} ({size:,} bytes).", whole=True)
        screen.say(f"Its way back: threadcast restore {safe(quote(str(file)))}", whole=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def restore(file: Path, as_json: bool) -> None:
    """Put a backup in the place of the queue.

    The replaced one is kept beside it. Not while a service runs. All channels are paused then: what
    went out after the backup was made is still waiting in it, and would go out again. Look through the
    queue, then `threadcast resume`.

    \b
    Examples:
      threadcast restore queue.backup
    """
    with faults():
        configured = settings()
    with faults(configured.secrets()):
        from threadcast.bot.restoring import put_back
        from threadcast.bot.screen import Screen, safe

        kept = put_back(configured, file, actor=actor())
    screen = Screen(configured.timezone)
    if as_json:
        screen.json({"file": str(file), "replaced": None if kept is None else str(kept)})
        return
    screen.say(f"The queue is what {safe(str(file))} holds.", whole=True)
    if kept is not None:
        screen.say(f"The one it replaced is kept: {safe(str(kept))}", whole=True)
    screen.say(
        "All channels are paused. Cancel what went out meanwhile (threadcast queue), then: threadcast resume"
    )
