"""What reads texts: `add`, `adopt`, `preview`."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from threadcast.bot.languages import _
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.input import Intake, inspected
from threadcast.bot.requests.threads import Receipt
from threadcast.bot.shell import completion, views
from threadcast.bot.shell.commands.settings import SETTINGS, with_options
from threadcast.bot.shell.context import (
    CHANNEL,
    ENCODING,
    FORCE,
    JSON,
    MEDIA,
    THREAD_NUMBER,
    Session,
    in_session,
    only_text,
    open_session,
    parse_at,
    read_all,
)
from threadcast.bot.shell.screen import Screen
from threadcast.queue.states import DeliveryState


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-", shell_complete=completion.files)
@CHANNEL
@click.option("--at", metavar="TIME", help="Not before this time: fri 18:30, in 2h, 2026-12-24T18:30.")
@click.option(
    "--hold/--no-hold",
    default=None,
    help="Queue it, but wait for `threadcast release`; or let it go though its channel holds every thread.",
)
@click.option("--again", is_flag=True, help="Publish a thread once more where it was published before.")
@click.option(
    "--continue",
    "continued",
    type=THREAD_NUMBER,
    metavar="ID",
    help="Append the parts to this thread; a published chain goes on from its last post.",
    shell_complete=completion.threads(),
)
@MEDIA
@ENCODING
@click.option("--dry-run", is_flag=True, help="Only parse and report; nothing is queued.")
@SETTINGS
@JSON
def add(
    files: tuple[str, ...],
    channels: tuple[str, ...],
    at: str | None,
    hold: bool | None,
    again: bool,
    continued: int | None,
    media: Path | None,
    encoding: str,
    dry_run: bool,
    as_json: bool,
    **settings: str | bool | None,
) -> None:
    """Queue the threads of text files.

    `-` reads standard input. All of them are added, or on any error none. A line
    `![what can be seen](photo.jpg)` shows a file beside the text, or at an https address.

    \b
    Examples:
      threadcast add thread.txt
      threadcast add --dry-run thread.txt
      threadcast add -c news --at 2026-12-24T18:30 thread.txt
      threadcast add --warning politics --language de thread.txt
      threadcast add --continue 7 more.txt
      pbpaste | threadcast add -
    """
    wished = any(value is not None for value in settings.values())
    if continued is not None and (len(files) > 1 or channels or at or hold is not None or again or wished):
        raise click.UsageError(
            _("--continue takes one file, and no option but --media, --encoding, --dry-run and --json")
        )
    intakes = with_options(read_all(files, encoding, media), settings)
    if dry_run:
        intakes = [inspected(intake) for intake in intakes]
        _show_parsed(intakes, files[0], as_json=as_json)
        return
    with open_session(as_json=as_json, begins=True) as session:
        threads = session.requests.threads
        if continued is not None:
            views.changed(session, threads.extend(continued, only_text(intakes)))
            return
        moment = parse_at(at, session.settings.timezone, clock=session.clock)
        _show_receipts(
            session,
            threads.add(
                intakes, channels=channels, at=moment, hold=bool(hold), approved=hold is False, again=again
            ),
        )


def _show_parsed(intakes: Sequence[Intake], file: str, *, as_json: bool) -> None:
    """Show what the parser made of a text; that needs no queue, no channel and no settings."""
    screen = Screen(ZoneInfo("UTC"))
    threads = [thread for intake in intakes for thread in intake.threads]
    if as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        screen.json({"threads": models.many(models.Thread, threads)})
    else:
        views.parsed(screen, threads, file)


def _show_receipts(session: Session, receipts: Sequence[Receipt]) -> None:
    """Show what became of what was added, and what to type next."""
    screen = session.screen
    if session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        screen.json({"threads": models.many(models.Receipt, receipts)})
        return
    added = [one for receipt in receipts for one in receipt.added.deliveries]
    starts = session.foreseen(added)
    for receipt in receipts:
        views.receipt(screen, receipt, starts, session.clock())
    if not added:
        screen.say(_("Nothing new was added."))
    elif all(one.state is DeliveryState.HELD for one in added):
        return  # what is next stands beside each
    elif session.wake():
        screen.say(_("See how it goes: threadcast queue"))
    else:
        screen.say(_(views.NO_SERVICE))


@click.command()
@click.argument("file", metavar="FILE|-", shell_complete=completion.files)
@click.option(
    "-c",
    "--channel",
    metavar="NAME",
    required=True,
    help="The channel on which it was begun.",
    shell_complete=completion.channels,
)
@click.option(
    "--parts", type=click.IntRange(min=1), required=True, metavar="N", help="How many parts are out."
)
@click.option("--last", metavar="URL", required=True, help="The post of the last of these; or its id.")
@FORCE
@JSON
def adopt(file: str, channel: str, parts: int, last: str, force: bool, as_json: bool) -> None:
    """Take over a chain that was begun by hand.

    FILE is the whole thread. Its first N parts are out, the last of them at URL: it goes on from there.
    That post is looked at first.

    \b
    Examples:
      threadcast adopt thread.txt -c news --parts 12 \\
        --last https://t.me/my_channel/113
    """
    intake = only_text(read_all((file,)))
    with open_session(as_json=as_json, begins=True) as session:
        receipt = session.online(
            lambda ask: ask.chains.adopt(intake, channel=channel, parts=parts, address=last, force=force)
        )
        _show_receipts(session, [receipt])


@click.command()
@click.argument("what", metavar="FILE|ID|-", shell_complete=completion.files)
@CHANNEL
@MEDIA
@ENCODING
@in_session
def preview(
    session: Session, what: str, channels: tuple[str, ...], media: Path | None, encoding: str
) -> None:
    """Show each channel's posts as they will be.

    With their lengths. FILE is a text file, `-` is standard input; a number that names no file is a
    thread of the queue.

    \b
    Examples:
      threadcast preview thread.txt
      threadcast preview -c masto thread.txt
      threadcast preview 7
    """
    from threadcast.bot.requests.preview import preview_posts  # noqa: PLC0415  # nothing else here composes

    if what.isascii() and what.isdigit() and not Path(what).exists():
        threads = [session.requests.queries.show(int(what)).stored.thread]
    else:
        threads = [
            thread for intake in read_all((what,), encoding, media) for thread in inspected(intake).threads
        ]
    previews = session.online(lambda ask: preview_posts(threads, pick(ask.channels, channels)), lately=True)
    if session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        session.screen.json(models.previews(previews))
        return
    views.previews(session.screen, previews, threads)
