"""Chains that stopped, are not wanted any more, or may have been changed: `skip`, `undo`, `audit`."""

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell.commands.changing import answer
from threadcast.bot.shell.context import (
    CHANNEL,
    JSON,
    Exit,
    FaultError,
    Office,
    acting,
    opened,
    thread_argument,
)

if TYPE_CHECKING:
    from datetime import datetime

    from threadcast.bot.publishing.takedown import Audit, Undoing


@click.command()
@thread_argument("skip")
@CHANNEL
@JSON
def skip(thread_id: int, channels: tuple[str, ...], as_json: bool) -> None:
    """Leave a refused post out, and go on behind it.

    The chain goes on with the next post, as a reply to the last one that is out.

    \b
    Examples:
      threadcast skip 7
      threadcast skip 7 --channel news
    """
    with opened() as office:
        answer(office, office.requests.changes.skip(thread_id, channels=channels), as_json=as_json)


@click.command()
@thread_argument("withdraw")
@CHANNEL
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def undo(thread_id: int, channels: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Take a thread's posts down, the newest first.

    Where the network asks to wait it waits; Ctrl-C is safe, and the same command goes on later. What a
    network no longer lets a bot delete stays, and is said. Exit code 7 where a post stays.

    \b
    Examples:
      threadcast undo 7
      threadcast undo 7 --channel masto --yes
    """
    with opened() as office:
        dossier = office.requests.queries.show(thread_id)
        title = dossier.stored.thread.title
        begun = any(chain.posts for chain in dossier.chains)
        if (
            begun
            and not yes
            and not (
                sys.stdin.isatty()
                and click.confirm(f"Take the posts of #{thread_id} {title!r} down for good?", err=True)
            )
        ):
            again = f"threadcast undo {thread_id} --yes"
            raise FaultError(f"#{thread_id} stays as it is; to take it down: {again}", Exit.USAGE)
        undone = asyncio.run(_undo(office, thread_id, channels, quiet=as_json))
        if as_json:
            from threadcast.bot.shell import as_json as answers

            office.screen.json({"deliveries": [answers.undoing(one) for one in undone]})
        else:
            _say_undone(office, undone)
        if any(one.gone < one.out for one in undone):
            click.get_current_context().exit(Exit.NOT_ALLOWED)


async def _undo(
    office: Office, thread_id: int, channels: tuple[str, ...], *, quiet: bool
) -> "tuple[Undoing, ...]":
    from threadcast.bot.service import now

    def see(one: "Undoing") -> None:
        if quiet:
            return
        line = f"{one.delivery.channel}: {one.gone}/{one.out} taken down"
        if one.until is not None:
            line += f"; the network asks to wait until {office.screen.when(one.until)} (Ctrl-C: go on later)"
        office.screen.say(line)

    async def pause(until: "datetime") -> None:
        await asyncio.sleep(max(0.0, (until - now()).total_seconds()))

    async with acting(office) as requests:
        return await requests.chains.undo(thread_id, channels=channels, see=see, pause=pause)


def _say_undone(office: Office, undone: "tuple[Undoing, ...]") -> None:
    from threadcast.bot.shell.screen import safe

    for one in undone:
        number = one.delivery.thread_id
        if one.gone == one.out:
            office.screen.say(f"#{number} on {one.delivery.channel} is gone: all {one.out} posts.")
            continue
        office.screen.say(
            f"#{number} on {one.delivery.channel}: {one.gone} of {one.out} posts are gone; "
            f"go on later with: threadcast undo {number}"
        )
        for left in sorted(one.left, key=lambda left: left.position):
            where = f" {safe(left.url)}" if left.url else ""
            office.screen.say(f"    post {left.position}{where}: {safe(left.reason)}")


@click.command()
@thread_argument()
@CHANNEL
@JSON
def audit(thread_id: int, channels: tuple[str, ...], as_json: bool) -> None:
    """Compare a published chain with what the network shows.

    Says what is missing, edited, out of order, or not ours. Exit code 7 where something is, or where the
    network could not be looked at.

    \b
    Examples:
      threadcast audit 7
      threadcast audit 7 --channel masto --json
    """
    with opened() as office:
        audits = asyncio.run(_audit(office, thread_id, channels))
        if as_json:
            from threadcast.bot.shell import as_json as answers

            office.screen.json({"deliveries": [answers.audit(one) for one in audits]})
        else:
            _say_audits(office, thread_id, audits)
        if any(one.differences or (one.problem and one.posts) for one in audits):
            click.get_current_context().exit(Exit.NOT_ALLOWED)


async def _audit(office: Office, thread_id: int, channels: tuple[str, ...]) -> "tuple[Audit, ...]":
    async with acting(office) as requests:
        return await requests.chains.audit(thread_id, channels=channels)


def _say_audits(office: Office, thread_id: int, audits: "tuple[Audit, ...]") -> None:
    from threadcast.bot.shell.screen import safe

    if not audits:
        office.screen.say(f"No post of #{thread_id} is out; see: threadcast show {thread_id}")
    for one in audits:
        where = f"#{thread_id} on {one.delivery.channel}"
        if not one.posts:
            office.screen.say(f"{where}: {safe(one.problem)}.")
        elif one.problem:
            office.screen.say(f"{where} could not be looked at: {safe(one.problem)}")
        elif not one.differences:
            office.screen.say(f"{where} is as it was sent: all {one.posts} posts, in order.")
        else:
            office.screen.say(f"{where} is not as it was sent:")
        for found in one.differences:
            post = f" post {found.position}" if found.position is not None else ""
            office.screen.say(f"    {found.kind}{post}: {safe(found.detail)}")
