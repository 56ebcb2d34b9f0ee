"""The shell commands. Each asks the desk and shows its answer; no rule lives here.

Exit codes: 0 done, 1 a fault of ours, 2 wrong usage, 3 the input cannot be used, 4 the configuration
is wrong, 5 the queue cannot be used, 6 no such thread or channel, 7 the state does not allow it,
8 `check` found an error.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell import CHANNEL, CHECK_FAILED, JSON, THREAD, faults, opened, parse_at, settings

if TYPE_CHECKING:
    from threadcast.bot.desk import Intake, Preview
    from threadcast.queue.states import Event


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="threadcast", message="threadcast %(version)s")
def cli() -> None:
    """Publish long numbered threads as reply chains on Telegram and Mastodon.

    \b
    Begin with:
      threadcast preview FILE     what each channel would show
      threadcast add FILE         queue the threads of a text file
      threadcast run              the service that publishes them
      threadcast queue            what is waiting, and until when

    Settings are THREADCAST_… environment variables, or lines of a .env file in the working folder.
    """


@cli.command()
def run() -> None:
    """Run the service until SIGTERM or Ctrl-C.

    It publishes what is queued, wakes when a thread is added or due, and finishes the post in hand
    before it stops.
    """
    from threadcast.bot.service import serve
    from threadcast.config import logs

    with faults():
        configured = settings()
    with faults(configured.secrets()):
        logs.configure(configured.log_level, configured.log_format, secrets=configured.secrets())
        asyncio.run(serve(configured))


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-")
@CHANNEL
@click.option("--at", metavar="TIME", help="Not before this time, as 2026-12-24T18:30.")
@click.option("--hold", is_flag=True, help="Queue it, but wait for `threadcast release`.")
@click.option("--again", is_flag=True, help="Publish a thread once more where it was published before.")
@click.option("--dry-run", is_flag=True, help="Only parse and report; nothing is queued.")
@JSON
def add(
    files: tuple[str, ...],
    channels: tuple[str, ...],
    at: str | None,
    hold: bool,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Queue the threads of text files; `-` reads standard input. All of them, or on any error none.

    \b
    Examples:
      threadcast add thread.txt
      threadcast add --dry-run thread.txt
      threadcast add --channel news --at 2026-12-24T18:30 thread.txt
      pbpaste | threadcast add -
    """
    with faults():
        intakes = read_all(files)
        if dry_run:
            show_parsed(intakes, as_json=as_json)
            return
    with opened() as (configured, desk, screen):
        from threadcast.bot import views, wake
        from threadcast.bot.service import now

        receipts = desk.add(
            intakes, channels=channels, at=parse_at(at, configured.timezone), hold=hold, again=again
        )
        if as_json:
            screen.json({"threads": [views.receipt_json(receipt) for receipt in receipts]})
            return
        for receipt in receipts:
            views.receipt(screen, receipt, now())
        if not any(receipt.added.deliveries for receipt in receipts):
            screen.say("Nothing new was added.")
        elif wake.knock(configured.data):
            screen.say("See how it goes: threadcast queue")
        else:
            screen.say("No service is running here; start it with: threadcast run")


def read_all(files: Sequence[str]) -> "list[Intake]":
    """Read and parse every file before anything is done with any."""
    from threadcast.bot.desk import read

    return [read(file, sys.stdin.buffer) for file in files]


def show_parsed(intakes: "Sequence[Intake]", *, as_json: bool) -> None:
    """`add --dry-run`: what the parser made of the text. Needs no queue and no channel."""
    from zoneinfo import ZoneInfo

    from threadcast.bot import views

    screen = views.Screen(ZoneInfo("UTC"))
    threads = [thread for intake in intakes for thread in intake.threads]
    if as_json:
        screen.json({"threads": [views.thread_json(thread) for thread in threads]})
        return
    for thread in threads:
        held = f", would be {views.state('held')}" if thread.warnings else ""
        screen.say(f"[bold]{views.safe(thread.title)}[/] ({len(thread.parts)} parts{held})")
        views.notices(screen, thread.notices)
    count = len(threads)
    screen.say(f"{count} thread{'s' if count != 1 else ''}; nothing was added.")
    screen.say("See the posts: threadcast preview FILE")


@cli.command()
@click.argument("what", metavar="FILE|ID|-")
@CHANNEL
@JSON
def preview(what: str, channels: tuple[str, ...], as_json: bool) -> None:
    """Show each channel's posts with their lengths, as they will be.

    FILE is a text file, `-` is standard input; a number that names no file is a thread of the queue.
    """
    with opened() as (configured, desk, screen):
        from threadcast.bot import views
        from threadcast.bot.desk import pick, preview_posts
        from threadcast.bot.service import open_channels

        if what.isascii() and what.isdigit() and not Path(what).exists():
            threads = [desk.show(int(what)).stored.thread]
        else:
            threads = [thread for intake in read_all([what]) for thread in intake.threads]

        async def ask() -> "tuple[Preview, ...]":
            async with open_channels(configured) as built:
                return await preview_posts(threads, pick(built, channels))

        previews = asyncio.run(ask())
        if as_json:
            screen.json(views.preview_json(previews))
            return
        for one in previews:
            views.preview(screen, one, threads[one.thread - 1].title)


@cli.command()
@click.option("-c", "--channel", metavar="NAME", help="Only this channel.")
@JSON
def queue(channel: str | None, as_json: bool) -> None:
    """List what is under way, waiting, held or unsure, in the order it will go out."""
    with opened() as (_, desk, screen):
        from threadcast.bot import views
        from threadcast.bot.service import now

        deliveries = desk.queue(channel=channel)
        if as_json:
            screen.json({"deliveries": [views.delivery_json(delivery) for delivery in deliveries]})
        elif deliveries:
            views.queue(screen, deliveries, now())
        else:
            screen.say("The queue is empty. Add a thread: threadcast add FILE")


@cli.command()
@THREAD
@JSON
def show(thread_id: int, as_json: bool) -> None:
    """Show one thread: its notices, and every post on every channel with id and address."""
    with opened() as (_, desk, screen):
        from threadcast.bot import views

        dossier = desk.show(thread_id)
        if as_json:
            screen.json(views.dossier_json(dossier))
        else:
            views.dossier(screen, dossier)


@cli.command()
@click.option("-c", "--channel", metavar="NAME", help="Only this channel.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=None, help="Only the newest N.")
@JSON
def history(channel: str | None, limit: int | None, as_json: bool) -> None:
    """List what was published, or stopped, newest first."""
    with opened() as (_, desk, screen):
        from threadcast.bot import views

        chains = desk.history(channel=channel, limit=limit)
        if as_json:
            screen.json({"deliveries": [views.chain_json(chain) for chain in chains]})
        elif chains:
            views.history(screen, chains)
        else:
            screen.say("Nothing was published yet. See what waits: threadcast queue")


@cli.command()
@JSON
def channels(as_json: bool) -> None:
    """List the configured channels, and those the queue remembers."""
    with opened() as (_, desk, screen):
        from threadcast.bot import views

        rows = desk.known_channels()
        if as_json:
            configured = desk.configured
            screen.json({"channels": [views.channel_json(row, configured) for row in rows]})
        else:
            views.channels(screen, rows, desk.configured)


@cli.command()
@JSON
def check(as_json: bool) -> None:
    """Check configuration, database, and each channel's credentials and rights; nothing is posted."""
    from threadcast.bot import checks, views

    with faults():
        configured = settings()
    findings = asyncio.run(checks.examine(configured))
    screen = views.Screen(configured.timezone)
    bad = any(one.level == "error" for _, one in findings)
    if as_json:
        screen.json(
            {
                "ok": not bad,
                "findings": [
                    {"about": about, "level": one.level, "what": one.what, "advice": one.advice}
                    for about, one in findings
                ],
            }
        )
    else:
        for about, one in findings:
            views.finding(screen, about, one)
        screen.say("Something has to be mended first." if bad else "All is well. Start with: threadcast run")
    if bad:
        sys.exit(CHECK_FAILED)


@cli.command()
def migrate() -> None:
    """Bring the database's tables up to date; safe to run again."""
    with faults():
        from threadcast.bot.service import upgrade

        configured = settings()
    with faults(configured.secrets()):
        click.echo(f"The database is up to date: version {upgrade(configured)}.")


def changing(name: str, event: str, about: str) -> None:
    """Make the command for one event a person can cause."""

    def command(thread_id: int, channels: tuple[str, ...], as_json: bool) -> None:
        from threadcast.queue.states import Event

        change(thread_id, Event(event), channels, as_json=as_json)

    command.__doc__ = about
    cli.command(name)(THREAD(CHANNEL(JSON(command))))


def change(thread_id: int, event: "Event", channels: Sequence[str], *, as_json: bool) -> None:
    """Ask the desk for a change and show what it changed."""
    with opened() as (_, desk, screen):
        from threadcast.bot import views

        changed = desk.change(thread_id, event, channels=channels)
        if as_json:
            screen.json({"deliveries": [views.delivery_json(delivery) for delivery in changed]})
        for delivery in changed if not as_json else ():
            screen.say(f"#{thread_id} on {delivery.channel} is {views.state(delivery.state)} now.")


changing("hold", "hold", "Keep a queued thread back until `threadcast release`.")
changing("release", "release", "Let a held thread go: it is published in its turn.")
changing("cancel", "cancel", "Take a thread out of the queue for good; what is out stays out.")
changing("retry", "retry", "Go on with a stopped thread, from the post that was refused.")


@cli.command()
@THREAD
@click.argument("verdict", type=click.Choice(["sent", "not-sent"]))
@click.argument("address", required=False, metavar="[URL]")
@CHANNEL
@JSON
def settle(
    thread_id: int, verdict: str, address: str | None, channels: tuple[str, ...], as_json: bool
) -> None:
    """Say of an unsure thread's last post whether it is out; then the rest goes on.

    \b
    Examples:
      threadcast settle 7 sent https://social.example/@me/113
      threadcast settle 7 not-sent
    """
    from threadcast.queue.states import Sent

    if (verdict == "sent") != (address is not None):
        raise click.UsageError("give the post's address after `sent`, and none after `not-sent`")
    with opened() as (_, desk, screen):
        from threadcast.bot import views

        sent = None if address is None else Sent(address.rstrip("/").rsplit("/", 1)[-1], address)
        delivery = desk.settle(thread_id, sent, channels=channels)
        if as_json:
            screen.json(views.delivery_json(delivery))
        else:
            screen.say(f"#{thread_id} on {delivery.channel} is {views.state(delivery.state)} now.")


@cli.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demonstration keeps its own queue and page.",
)
def demo(folder: Path) -> None:
    """Publish sample threads on two local channels, one like Telegram and one like Mastodon.

    Nothing leaves this machine: no account, no token, no network.
    """
    from threadcast.bot.demo import show_off

    with faults():
        asyncio.run(show_off(folder.resolve()))


def main() -> None:
    """The `threadcast` command."""
    cli(prog_name="threadcast")
