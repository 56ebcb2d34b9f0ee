"""The owner's queue: `publish`, `move`, `pause`, `resume`, `edit`, `remove`, `adopt`."""

import sys
from typing import TYPE_CHECKING

import click

from threadcast.bot import completion
from threadcast.bot.commands.changing import answer
from threadcast.bot.shell import (
    CHANNEL,
    FOLLOW,
    JSON,
    Exit,
    FaultError,
    Office,
    opened,
    read_all,
    thread_argument,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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
@click.option("--now", is_flag=True, help="Before all others, at once, whatever the schedule says.")
@FOLLOW
@JSON
def publish(thread_id: int, channels: tuple[str, ...], now: bool, follow: bool, as_json: bool) -> None:
    """Let a held thread go, or any waiting one at once.

    Without --now it is published in its turn. With --follow, stay until it is published (exit code 0)
    or has stopped (7).

    \b
    Examples:
      threadcast publish 7
      threadcast publish 7 --now --channel news
      threadcast publish 7 --now --follow
    """
    from threadcast.bot.commands.following import stay

    with opened() as office:
        changed = office.desk.publish(thread_id, channels=channels, now=now)
        if not (follow and as_json):
            answer(office, changed, as_json=as_json)
        if follow:
            stay(office, changed, as_json=as_json)


@click.command()
@thread_argument("hold")
@click.option("--first", is_flag=True, help="Before all others.")
@click.option("--after", type=click.IntRange(min=1), metavar="ID", help="Behind this thread.")
@CHANNEL
@JSON
def move(thread_id: int, first: bool, after: int | None, channels: tuple[str, ...], as_json: bool) -> None:
    """Change a thread's place in the queue.

    \b
    Examples:
      threadcast move 7 --first
      threadcast move 7 --after 3 --channel news
    """
    if first == (after is not None):
        raise click.UsageError("say where it goes: --first, or --after ID")
    with opened() as office:
        answer(office, office.desk.move(thread_id, channels=channels, after=after), as_json=as_json)


@click.command()
@NAMES
@JSON
def pause(names: tuple[str, ...], as_json: bool) -> None:
    """Publish nothing more on a channel, or on all.

    A chain that is going out rests after the post in hand.

    \b
    Examples:
      threadcast pause news
      threadcast pause
    """
    with opened() as office:
        _told(office, office.desk.pause(names), as_json=as_json)


@click.command()
@NAMES
@JSON
def resume(names: tuple[str, ...], as_json: bool) -> None:
    """Let a paused channel go on, or all.

    \b
    Examples:
      threadcast resume news
      threadcast resume
    """
    with opened() as office:
        _told(office, office.desk.resume(names), as_json=as_json)


def _told(office: Office, rows: "Sequence[ChannelRow]", *, as_json: bool) -> None:
    from threadcast.bot import as_json as answers

    if as_json:
        configured = office.desk.configured
        office.screen.json({"channels": [answers.channel(row, configured) for row in rows]})
        return
    for row in rows:
        then = f"to go on: threadcast resume {row.name}" if row.paused else "what is due starts now"
        office.screen.say(f"{row.name} is {'paused' if row.paused else 'ready'}; {then}.")


@click.command()
@thread_argument("hold")
@JSON
def edit(thread_id: int, as_json: bool) -> None:
    """Change the text of a thread that has not begun.

    Opens it in $EDITOR; in a pipe, the new text is read from standard input.

    \b
    Examples:
      threadcast edit 7
      threadcast edit 7 < better.txt
    """
    from threadcast.queue.parse import render

    with opened() as office:
        before = render(office.desk.show(thread_id).stored.thread)
        by_hand = sys.stdin.isatty()
        text = click.edit(before, extension=".txt") if by_hand else read_all(("-",))[0].text
        if text is None or text.strip() == before.strip():
            office.screen.say(f"#{thread_id} is as it was: nothing was changed.")
            return
        answer(office, office.desk.edit(thread_id, text), as_json=as_json)


@click.command()
@thread_argument("cancel")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def remove(thread_id: int, yes: bool, as_json: bool) -> None:
    """Forget a thread of which nothing was sent.

    Its text is gone then; `threadcast export` keeps a copy. What was done to it stays in `threadcast events`.

    \b
    Examples:
      threadcast remove 7
      threadcast remove 7 --yes
    """
    with opened() as office:
        title = office.desk.show(thread_id).stored.thread.title
        if not yes and not (sys.stdin.isatty() and click.confirm(f"Forget #{thread_id} {title!r}?")):
            raise FaultError(
                f"#{thread_id} was not removed; to do it: threadcast remove {thread_id} --yes", Exit.USAGE
            )
        office.desk.remove(thread_id)
        if as_json:
            office.screen.json({"removed": thread_id})
        else:
            office.screen.say(f"#{thread_id} is forgotten.")


@click.command()
@click.argument("file", metavar="FILE|-", shell_complete=completion.files)
@click.option("-c", "--channel", required=True, metavar="NAME", help="Where the chain was begun.")
@click.option(
    "--parts", required=True, type=click.IntRange(min=1), metavar="N", help="So many parts are out."
)
@click.option("--last", required=True, metavar="URL", help="The address of the last post that is out.")
@JSON
def adopt(file: str, channel: str, parts: int, last: str, as_json: bool) -> None:
    """Take over a chain that someone began by hand.

    FILE holds the whole thread. What is out is not sent again: the chain goes on from its last post.

    \b
    Examples:
      threadcast adopt thread.txt -c news --parts 12 --last https://t.me/my_channel/112
    """
    from threadcast.bot.addresses import post_at

    with opened() as office:
        from threadcast.bot import as_json as answers
        from threadcast.bot import views
        from threadcast.bot.service import now

        receipt = office.desk.adopt(read_all((file,))[0], channel=channel, parts=parts, last=post_at(last))
        if as_json:
            office.screen.json({"threads": [answers.receipt(receipt)]})
        else:
            views.receipt(office.screen, receipt, now())


COMMANDS: tuple[click.Command, ...] = (publish, move, pause, resume, edit, remove, adopt)
