"""What happened and what is out: `history`, `events`, `undo`, `audit`."""

from collections.abc import Sequence
from datetime import datetime

import click

from threadcast.bot import models
from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.bot.requests.errors import RefusedError
from threadcast.bot.shell import views
from threadcast.bot.shell.context import (
    CHANNEL,
    LIMIT,
    ONE_CHANNEL,
    THREAD,
    THREAD_NUMBER,
    YES,
    Session,
    confirm,
    in_session,
    paused,
    thread_argument,
)
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import Screen, safe


@click.command()
@ONE_CHANNEL
@LIMIT
@in_session
def history(session: Session, channel: str | None, limit: int | None) -> None:
    """List what was published or stopped, newest first.

    \b
    Examples:
      threadcast history -n 10
      threadcast history --channel news --json
    """
    chains = session.requests.queries.history(channel=channel, limit=limit)
    if session.as_json:
        session.screen.json({"deliveries": models.many(models.Chain, chains)})
    elif chains:
        views.history(session.screen, chains)
    else:
        session.screen.say("Nothing was published yet. See what waits: threadcast queue")


@click.command()
@click.argument("thread_id", metavar="[ID]", type=THREAD_NUMBER, required=False)
@LIMIT
@in_session
def events(session: Session, thread_id: int | None, limit: int | None) -> None:
    """List what happened: when, who, what.

    The oldest first; events of one thread, or of all.

    \b
    Examples:
      threadcast events -n 20
      threadcast events 7
    """
    found = session.requests.queries.events(thread_id, limit)
    if session.as_json:
        session.screen.json({"events": models.many(models.Event, found)})
    elif found:
        views.events(session.screen, found)
    else:
        session.screen.say("Nothing has happened yet. Add a thread: threadcast add FILE")


@click.command()
@thread_argument("withdraw")
@CHANNEL
@YES
@in_session
def undo(session: Session, thread_id: int, channels: tuple[str, ...], yes: bool) -> None:
    """Take a thread's posts down, the newest first.

    Where the network asks to wait it waits; Ctrl-C is safe, and the same command goes on later. What a
    network no longer lets a bot delete stays, and is said. Exit code 7 where a post stays.

    \b
    Examples:
      threadcast undo 7
      threadcast undo 7 --channel masto --yes
    """
    dossier = session.requests.queries.show(thread_id)
    title = dossier.stored.thread.title
    begun = any(chain.posts for chain in dossier.chains)
    if begun and not (yes or confirm(f"Take the posts of #{thread_id} {title!r} down for good?")):
        again = f"threadcast undo {thread_id} --yes"
        raise FaultError(f"#{thread_id} stays as it is; to take it down: {again}", Exit.USAGE)

    def see(one: Undoing) -> None:
        if not session.as_json:
            _show_undoing(session.screen, one)

    refused: list[RefusedError] = []
    undone: tuple[Undoing, ...] = session.online(
        lambda ask: ask.chains.undo(
            thread_id, channels=channels, see=see, pause=paused, refuse=refused.append
        )
    )
    if session.as_json:
        found = models.many(models.Undoing, undone)
        session.screen.json({"deliveries": found, "refused": models.many(models.Refused, refused)})
    else:
        _show_undone(session.screen, undone)
        views.say_refused(session.screen, refused)
    if any(one.gone < one.out for one in undone):
        click.get_current_context().exit(Exit.NOT_ALLOWED)


@click.command()
@THREAD
@CHANNEL
@in_session
def audit(session: Session, thread_id: int, channels: tuple[str, ...]) -> None:
    """Compare a published chain with what the network shows.

    Says what is missing, edited, out of order, or not ours. Exit code 7 where something is, or where the
    network could not be looked at.

    \b
    Examples:
      threadcast audit 7
      threadcast audit 7 --channel masto --json
    """

    async def pause(until: datetime) -> None:
        if not session.as_json:
            session.screen.say(f"The network asks to wait until {session.screen.when(until)} …")
        await paused(until)

    audits: tuple[Audit, ...] = session.online(
        lambda ask: ask.chains.audit(thread_id, channels=channels, pause=pause)
    )
    if session.as_json:
        session.screen.json({"deliveries": models.many(models.Audit, audits)})
    else:
        _show_audits(session.screen, thread_id, audits)
    if any(one.differences or (one.problem and one.posts) for one in audits):
        click.get_current_context().exit(Exit.NOT_ALLOWED)


def _show_undoing(screen: Screen, one: Undoing) -> None:
    line = f"{one.delivery.channel}: {one.gone}/{one.out} taken down"
    if one.until is not None:
        line += f"; the network asks to wait until {screen.when(one.until)} (Ctrl-C: go on later)"
    screen.say(line)


def _show_undone(screen: Screen, many: Sequence[Undoing]) -> None:
    for one in many:
        number = one.delivery.thread_id
        where = f"#{number} on {one.delivery.channel}"
        if one.gone == one.out:
            screen.say(f"{where} is gone: all {one.out} posts.")
            continue
        screen.say(
            f"{where}: {one.gone} of {one.out} posts are gone; "
            f"go on later with: threadcast undo {number} -c {one.delivery.channel}"
        )
        for left in sorted(one.left, key=lambda left: left.position):
            address = f" {safe(left.url)}" if left.url else ""
            screen.say(f"    post {left.position}{address}: {safe(left.reason)}")


def _show_audits(screen: Screen, thread_id: int, many: Sequence[Audit]) -> None:
    if not many:
        screen.say(f"No post of #{thread_id} is out; see: threadcast show {thread_id}")
    for one in many:
        where = f"#{thread_id} on {one.delivery.channel}"
        if not one.posts:
            screen.say(f"{where}: {safe(one.problem)}.")
        elif one.problem:
            screen.say(f"{where} could not be looked at: {safe(one.problem)}")
        elif not one.differences:
            screen.say(f"{where} is as it was sent: all {one.posts} posts, in order.")
        else:
            screen.say(f"{where} is not as it was sent:")
        if one.unseen is not None:
            screen.say(f"    post {one.unseen.position}: {safe(one.unseen.detail)}")
        if any(found.kind == "edited" for found in one.differences):
            screen.say(f"    → to make it say again what is stored: threadcast edit {thread_id} --back")
        for found in one.differences:
            post = f" post {found.position}" if found.position is not None else ""
            screen.say(f"    {found.kind}{post}: {safe(found.detail)}")
