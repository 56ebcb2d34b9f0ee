"""The queue is its owner's: `publish`, `move`, `pause`, `resume`, `edit`, `remove`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell import completion
from threadcast.bot.shell.commands.changing import answer
from threadcast.bot.shell.context import (
    CHANNEL,
    FOLLOW,
    JSON,
    THREAD_NUMBER,
    Exit,
    FaultError,
    Office,
    opened,
    read_all,
    thread_argument,
)

if TYPE_CHECKING:
    from threadcast.queue.model import ChannelRow

NAMES = click.argument(
    "names",
    nargs=-1,
    metavar="[CHANNEL…]",
    shell_complete=lambda _context, _parameter, typed: completion.channels(typed),
)


@click.command()
@thread_argument("schedule")
@CHANNEL
@click.option("--now", is_flag=True, help="Before all others, at once, whatever the schedule says.")
@FOLLOW
@JSON
def publish(thread_id: int, channels: tuple[str, ...], now: bool, follow: bool, as_json: bool) -> None:
    """Let a held thread go, or any waiting one at once.

    Without --now it is published in its turn. A channel that the thread was not meant for so far is added,
    where --channel names it. With --follow, stay until it is published (exit code 0)
    or has stopped (7).

    \b
    Examples:
      threadcast publish 7
      threadcast publish 7 --channel news
      threadcast publish 7 --now --channel news
      threadcast publish 7 --now --follow
    """
    from threadcast.bot.shell.commands.following import stay

    with opened() as office:
        changed = office.requests.changes.publish(thread_id, channels=channels, now=now)
        if not (follow and as_json):
            answer(office, changed, as_json=as_json)
        if follow:
            stay(office, changed, as_json=as_json)


@click.command()
@thread_argument("schedule")
@click.option("--first", is_flag=True, help="Before all others.")
@click.option(
    "--after",
    type=THREAD_NUMBER,
    metavar="ID",
    help="Behind this thread.",
    shell_complete=lambda _context, _parameter, typed: completion.threads(typed, "schedule"),
)
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
        changed = office.requests.changes.move(thread_id, channels=channels, after=after)
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
        _channels(office, office.requests.changes.pause(names), as_json=as_json)


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
        _channels(office, office.requests.changes.pause(names, paused=False), as_json=as_json)


def _channels(office: Office, rows: "tuple[ChannelRow, ...]", *, as_json: bool) -> None:
    from threadcast.bot import wake
    from threadcast.bot.shell import as_json as answers

    if as_json:
        configured = office.requests.queries.configured
        office.screen.json({"channels": [answers.channel(row, configured) for row in rows]})
        return
    running = wake.knock(office.settings.data)
    for row in rows:
        then = f"to go on: threadcast resume {row.name}" if row.paused else "what is due starts now"
        follows = f"; {then}" if row.paused or running else ""
        office.screen.say(f"{row.name} is {'paused' if row.paused else 'ready'}{follows}.")
    if not running and not all(row.paused for row in rows):
        office.screen.say("No service is running here; start it with: threadcast run")


@click.command()
@thread_argument("hold")
@JSON
def edit(thread_id: int, as_json: bool) -> None:
    """Change the text of a thread that has not begun.

    Opens it in $VISUAL or $EDITOR; in a pipe, the new text is read from standard input. One with
    warnings is held. Where what you wrote is refused, it is kept in a file.

    \b
    Examples:
      threadcast edit 7
      EDITOR=nano threadcast edit 7
      threadcast edit 7 < better.txt
    """
    from threadcast.bot.requests.input import InputError
    from threadcast.queue.model import StoreError
    from threadcast.queue.states import NotAllowedError
    from threadcast.queue.text.parse import render

    with opened() as office:
        before = render(office.requests.queries.show(thread_id).stored.thread)
        by_hand = sys.stdin.isatty()
        after = _by_hand(before) if by_hand else read_all(("-",))[0].text
        if after is None or after.strip() == before.strip():
            if as_json:
                answer(office, (), as_json=True)
            else:
                office.screen.say(f"#{thread_id} is as it was: nothing was changed.")
            return
        try:
            changed = office.requests.threads.edit(thread_id, after)
        except (InputError, NotAllowedError, StoreError):
            if by_hand:
                click.echo(f"Your text is kept in {_keep(thread_id, after)}", err=True)
            raise
        answer(office, changed, as_json=as_json)


def _by_hand(text: str) -> str | None:
    """The text as it was saved in an editor, None where it was not."""
    try:
        return click.edit(text + "\n", extension=".txt")
    except click.ClickException as error:
        editor = error.message.partition(":")[0]
        raise FaultError(
            f"the editor {editor} did not work, and nothing was changed; set EDITOR to one that works here",
            Exit.INPUT,
        ) from None


def _keep(thread_id: int, text: str) -> Path:
    import tempfile

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix=f"thread-{thread_id}-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return Path(file.name)


@click.command()
@thread_argument("cancel")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def remove(thread_id: int, yes: bool, as_json: bool) -> None:
    """Forget a thread of which nothing was sent.

    Its text is gone then; `threadcast export` keeps a copy. What was done to it stays in `threadcast
    events`. A thread of which something is out can be cancelled, and is remembered.

    \b
    Examples:
      threadcast remove 7
      threadcast remove 7 --yes
    """
    with opened() as office:
        title = office.requests.queries.show(thread_id).stored.thread.title
        if not yes and not (
            sys.stdin.isatty() and click.confirm(f"Forget #{thread_id} {title!r}?", err=True)
        ):
            raise FaultError(
                f"#{thread_id} was not removed; to do it: threadcast remove {thread_id} --yes", Exit.USAGE
            )
        office.requests.threads.remove(thread_id)
        if as_json:
            office.screen.json({"removed": thread_id})
        else:
            office.screen.say(
                f"#{thread_id} is forgotten; what happened to it: threadcast events {thread_id}"
            )


COMMANDS: tuple[click.Command, ...] = (publish, move, pause, resume, edit, remove)
