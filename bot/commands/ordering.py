"""The queue is its owner's: `publish`, `move`, `pause`, `resume`, `edit`, `remove`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from threadcast.bot import completion
from threadcast.bot.commands.changing import answer
from threadcast.bot.shell import (
    CHANNEL,
    FOLLOW,
    JSON,
    THREAD,
    Exit,
    FaultError,
    Office,
    opened,
    thread_argument,
)

if TYPE_CHECKING:
    from threadcast.queue.store import ChannelRow

NAMES = click.argument(
    "names",
    nargs=-1,
    metavar="[CHANNEL…]",
    shell_complete=lambda _context, _parameter, typed: completion.channels(typed),
)


@click.command()
@thread_argument("schedule")
@CHANNEL
@click.option("--now", is_flag=True, help="Before all others, at once: no slot is waited for.")
@FOLLOW
@JSON
def publish(thread_id: int, channels: tuple[str, ...], now: bool, follow: bool, as_json: bool) -> None:
    """Let a thread go: in its turn, or now.

    A held thread is released. With --now it goes before all others and waits for no slot. With
    --follow, stay until it is published (exit code 0) or has stopped (7).

    \b
    Examples:
      threadcast publish 7
      threadcast publish 7 --now --follow
      threadcast publish 7 --channel news
    """
    with opened() as office:
        from threadcast.bot.commands.following import stay

        changed = office.desk.publish(thread_id, channels=channels, now=now)
        if not follow:
            answer(office, changed, as_json=as_json)
            return
        if not as_json:
            answer(office, changed, as_json=False)
        stay(office, changed, as_json=as_json)


@click.command()
@THREAD
@click.option("--first", is_flag=True, help="Before all others.")
@click.option("--after", type=click.IntRange(min=1), metavar="ID", help="Behind this thread.")
@CHANNEL
@JSON
def move(thread_id: int, first: bool, after: int | None, channels: tuple[str, ...], as_json: bool) -> None:
    """Change the order of the queue.

    \b
    Examples:
      threadcast move 7 --first
      threadcast move 7 --after 9 --channel news
    """
    if first == (after is not None):
        raise click.UsageError("say where: --first, or --after ID")
    with opened() as office:
        changed = office.desk.move(thread_id, channels=channels, after=after)
        if as_json:
            answer(office, changed, as_json=True)
            return
        for delivery in changed:
            where = "first" if after is None else f"behind #{after}"
            office.screen.say(f"#{thread_id} is {where} on {delivery.channel} now.")
        office.screen.say("See the order: threadcast queue")


@click.command()
@NAMES
@JSON
def pause(names: tuple[str, ...], as_json: bool) -> None:
    """Publish nothing more on a channel, or on all.

    The post in hand is finished; the rest waits for `threadcast resume`.

    \b
    Examples:
      threadcast pause
      threadcast pause news
    """
    with opened() as office:
        _channels(office, office.desk.pause(names), as_json=as_json)


@click.command()
@NAMES
@JSON
def resume(names: tuple[str, ...], as_json: bool) -> None:
    """Let paused channels go on.

    \b
    Examples:
      threadcast resume
      threadcast resume news
    """
    with opened() as office:
        _channels(office, office.desk.resume(names), as_json=as_json)


def _channels(office: Office, rows: "tuple[ChannelRow, ...]", *, as_json: bool) -> None:
    from threadcast.bot import as_json as answers

    if as_json:
        configured = office.desk.configured
        office.screen.json({"channels": [answers.channel(row, configured) for row in rows]})
        return
    for row in rows:
        then = f"paused; it goes on with: threadcast resume {row.name}" if row.paused else "going on"
        office.screen.say(f"{row.name} is {then}.")


@click.command()
@THREAD
@click.option("--file", "file", metavar="FILE|-", help="Take the new text from here, not from an editor.")
@JSON
def edit(thread_id: int, file: str | None, as_json: bool) -> None:
    """Change the text of a thread that has not begun.

    Opens it in $VISUAL or $EDITOR. What is saved takes its place; where it has warnings, the thread is
    held. Where it is refused, your text is kept in a file.

    \b
    Examples:
      threadcast edit 7
      EDITOR=nano threadcast edit 7
      threadcast edit 7 --file better.txt
    """
    from threadcast.bot.reading import InputError
    from threadcast.queue.parse import render
    from threadcast.queue.states import NotAllowedError
    from threadcast.queue.store import StoreError

    with opened() as office:
        before = render(office.desk.show(thread_id).stored.thread) + "\n"
        after = _edited(before) if file is None else _read(file)
        if after is None or after == before:
            if as_json:
                answer(office, (), as_json=True)
            else:
                office.screen.say(f"#{thread_id} is as it was: nothing was changed.")
            return
        try:
            changed = office.desk.edit(thread_id, after)
        except (InputError, NotAllowedError, StoreError):
            if file is None:
                click.echo(f"Your text is kept in {_keep(thread_id, after)}", err=True)
            raise
        answer(office, changed, as_json=as_json)


def _edited(text: str) -> str | None:
    """The text as it was saved, None where it was not."""
    try:
        return click.edit(text, extension=".txt")
    except click.ClickException as error:
        raise FaultError(f"{error.message}; set EDITOR to one that works here", Exit.INPUT) from None


def _read(file: str) -> str:
    from threadcast.bot.shell import read_all
    from threadcast.queue.parse import render

    (intake,) = read_all((file,))
    return "\n\n".join(render(thread) for thread in intake.threads) + "\n"


def _keep(thread_id: int, text: str) -> Path:
    import tempfile

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix=f"thread-{thread_id}-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return Path(file.name)


@click.command()
@THREAD
@JSON
def remove(thread_id: int, as_json: bool) -> None:
    """Forget a thread of which nothing was sent.

    Its events stay. A thread of which something is out can be cancelled, and is remembered.

    \b
    Examples:
      threadcast remove 7
    """
    with opened() as office:
        office.desk.remove(thread_id)
        if as_json:
            office.screen.json({"removed": thread_id})
        else:
            office.screen.say(f"#{thread_id} is gone; what happened to it: threadcast events {thread_id}")


COMMANDS: tuple[click.Command, ...] = (publish, move, pause, resume, edit, remove)
