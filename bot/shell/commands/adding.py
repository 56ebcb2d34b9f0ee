"""Bringing threads in: `add`, `adopt`, `preview`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell import completion
from threadcast.bot.shell.commands.changing import answer, foreseen
from threadcast.bot.shell.context import (
    CHANNEL,
    JSON,
    THREAD_NUMBER,
    Office,
    faults,
    opened,
    parse_at,
    read_all,
)

if TYPE_CHECKING:
    from threadcast.bot.requests.input import Intake
    from threadcast.bot.requests.preview import Preview
    from threadcast.bot.requests.threads import Receipt
    from threadcast.queue.text.thread import Thread


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-", shell_complete=completion.files)
@CHANNEL
@click.option("--at", metavar="TIME", help="Not before this time: fri 18:30, in 2h, 2026-12-24T18:30.")
@click.option("--hold", is_flag=True, help="Queue it, but wait for `threadcast release`.")
@click.option("--again", is_flag=True, help="Publish a thread once more where it was published before.")
@click.option(
    "--continue",
    "continued",
    type=THREAD_NUMBER,
    metavar="ID",
    help="Append the parts to this thread; a published chain goes on from its last post.",
    shell_complete=lambda _context, _parameter, typed: completion.threads(typed, None),
)
@click.option("--dry-run", is_flag=True, help="Only parse and report; nothing is queued.")
@JSON
def add(
    files: tuple[str, ...],
    channels: tuple[str, ...],
    at: str | None,
    hold: bool,
    again: bool,
    continued: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Queue the threads of text files.

    `-` reads standard input. All of them are added, or on any error none.

    \b
    Examples:
      threadcast add thread.txt
      threadcast add --dry-run thread.txt
      threadcast add -c news --at 2026-12-24T18:30 thread.txt
      threadcast add --continue 7 more.txt
      pbpaste | threadcast add -
    """
    if continued is not None and (len(files) > 1 or channels or at or hold or again):
        raise click.UsageError("--continue takes one file, and no option but --dry-run and --json")
    with faults():
        intakes = read_all(files)
        if dry_run:
            show_parsed(intakes, files, as_json=as_json)
            return
    if continued is not None:
        with opened() as office:
            answer(office, office.requests.threads.extend(continued, intakes[0]), as_json=as_json)
        return
    with opened() as office:
        moment = parse_at(at, office.settings.timezone)
        show_receipts(
            office,
            office.requests.threads.add(intakes, channels=channels, at=moment, hold=hold, again=again),
            as_json=as_json,
        )


def show_receipts(office: Office, receipts: "Sequence[Receipt]", *, as_json: bool) -> None:
    """What became of what was added, and what to type next."""
    from threadcast.bot import wake
    from threadcast.bot.service import now
    from threadcast.bot.shell import as_json as answers
    from threadcast.bot.shell import views
    from threadcast.queue.states import DeliveryState

    screen = office.screen
    if as_json:
        screen.json({"threads": [answers.receipt(receipt) for receipt in receipts]})
        return
    added = [one for receipt in receipts for one in receipt.added.deliveries]
    starts = foreseen(office, added)
    for receipt in receipts:
        views.receipt(screen, receipt, starts, now())
    if not added:
        screen.say("Nothing new was added.")
    elif all(one.state is DeliveryState.HELD for one in added):
        return  # what is next stands beside each
    elif wake.knock(office.settings.data):
        screen.say("See how it goes: threadcast queue")
    else:
        screen.say("No service is running here; start it with: threadcast run")


@click.command()
@click.argument("file", metavar="FILE|-", shell_complete=completion.files)
@click.option(
    "-c",
    "--channel",
    metavar="NAME",
    required=True,
    help="The channel on which it was begun.",
    shell_complete=lambda _context, _parameter, typed: completion.channels(typed),
)
@click.option(
    "--parts", type=click.IntRange(min=1), required=True, metavar="N", help="How many parts are out."
)
@click.option("--last", metavar="URL", required=True, help="The post of the last of these; or its id.")
@JSON
def adopt(file: str, channel: str, parts: int, last: str, as_json: bool) -> None:
    """Take over a chain that was begun by hand.

    FILE is the whole thread. Its first N parts are out, the last of them at URL: it goes on from there.

    \b
    Examples:
      threadcast adopt thread.txt -c news --parts 12 \\
        --last https://t.me/my_channel/113
    """
    with faults():
        (intake,) = read_all((file,))
    with opened() as office:
        from threadcast.bot.requests.input import post_at

        receipt = office.requests.threads.adopt(intake, channel=channel, parts=parts, last=post_at(last))
        show_receipts(office, [receipt], as_json=as_json)


def show_parsed(intakes: "Sequence[Intake]", files: Sequence[str], *, as_json: bool) -> None:
    """`add --dry-run`: what the parser made of the text. Needs no queue and no channel."""
    from zoneinfo import ZoneInfo

    from threadcast.bot.shell import as_json as answers
    from threadcast.bot.shell import views
    from threadcast.bot.shell.screen import Screen

    screen = Screen(ZoneInfo("UTC"))
    threads = [thread for intake in intakes for thread in intake.threads]
    if as_json:
        screen.json({"threads": [answers.thread(thread) for thread in threads]})
    else:
        views.parsed(screen, threads, files[0])


@click.command()
@click.argument("what", metavar="FILE|ID|-", shell_complete=completion.files)
@CHANNEL
@JSON
def preview(what: str, channels: tuple[str, ...], as_json: bool) -> None:
    """Show each channel's posts as they will be.

    With their lengths. FILE is a text file, `-` is standard input; a number that names no file is a
    thread of the queue.

    \b
    Examples:
      threadcast preview thread.txt
      threadcast preview -c masto thread.txt
      threadcast preview 7
    """
    with opened() as office:
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views

        if what.isascii() and what.isdigit() and not Path(what).exists():
            threads = [office.requests.queries.show(int(what)).stored.thread]
        else:
            threads = [thread for intake in read_all((what,)) for thread in intake.threads]
        previews = asyncio.run(_ask(office, threads, channels))
        if as_json:
            office.screen.json(answers.previews(previews))
            return
        for one in previews:
            views.preview(office.screen, one, threads[one.thread - 1].title)


async def _ask(office: Office, threads: "Sequence[Thread]", channels: Sequence[str]) -> "tuple[Preview, ...]":
    from threadcast.bot.requests.context import pick
    from threadcast.bot.requests.preview import preview_posts
    from threadcast.bot.service import open_channels

    async with open_channels(office.settings) as built:
        return await preview_posts(threads, pick(built, channels))
