"""What happened and what is out: `history`, `events`, `undo`, `audit`."""

from collections.abc import Sequence
from datetime import datetime

import click

from threadcast.bot import models
from threadcast.bot.languages import N_, _, ngettext
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
from threadcast.bot.wording import posts
from threadcast.queue.model import AuditEvent


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
        session.screen.say(_("Nothing was published yet. See what waits: threadcast queue"))


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
        _show_events(session.screen, found)
    else:
        session.screen.say(_("Nothing has happened yet. Add a thread: threadcast add FILE"))


def _show_events(screen: Screen, found: Sequence[AuditEvent]) -> None:
    lines = []
    for event in found:
        about = (str(event.thread_id or "-"), event.channel or "-")
        lines.append((screen.when(event.at), safe(event.actor), event.what, *about, safe(event.detail)))
    screen.table((N_("when"), N_("who"), N_("what"), N_("id"), N_("channel"), N_("detail")), lines)


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
    question = _("Take the posts of #{thread} {title!r} down for good?").format(thread=thread_id, title=title)
    if begun and not (yes or confirm(question)):
        said = _("#{thread} stays as it is; to take it down: {command}")
        again = f"threadcast undo {thread_id} --yes"
        raise FaultError(said.format(thread=thread_id, command=again), Exit.USAGE)

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
            said = _("The network asks to wait until {time} …")
            session.screen.say(said.format(time=session.screen.when(until)))
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
    line = _("{channel}: {gone}/{out} taken down").format(
        channel=one.delivery.channel, gone=one.gone, out=one.out
    )
    if one.until is not None:
        line += _("; the network asks to wait until {time} (Ctrl-C: go on later)").format(
            time=screen.when(one.until)
        )
    screen.say(line)


def _show_undone(screen: Screen, many: Sequence[Undoing]) -> None:
    for one in many:
        number = one.delivery.thread_id
        about = {"thread": number, "channel": one.delivery.channel}
        if one.gone == one.out:
            said = ngettext(
                "#{thread} on {channel} is gone: its one post.",
                "#{thread} on {channel} is gone: all {n} posts.",
                one.out,
            )
            screen.say(said.format(**about, n=one.out))
            continue
        said = ngettext(
            "#{thread} on {channel}: {gone} of {n} post is gone; go on later with: {command}",
            "#{thread} on {channel}: {gone} of {n} posts are gone; go on later with: {command}",
            one.out,
        )
        command = f"threadcast undo {number} -c {one.delivery.channel}"
        screen.say(said.format(**about, gone=one.gone, n=one.out, command=command))
        for left in sorted(one.left, key=lambda left: left.position):
            address = f" {safe(left.url)}" if left.url else ""
            post = _("post {number}").format(number=left.position)
            screen.say(f"    {post}{address}: {safe(left.reason)}")


def _show_audits(screen: Screen, thread_id: int, many: Sequence[Audit]) -> None:
    if not many:
        said = _("No post of #{thread} is out; see: {command}")
        screen.say(said.format(thread=thread_id, command=f"threadcast show {thread_id}"))
    for one in many:
        about = {"thread": thread_id, "channel": one.delivery.channel, "reason": safe(one.problem)}
        if not one.posts:
            screen.say(_("#{thread} on {channel}: {reason}.").format(**about))
        elif one.problem:
            screen.say(_("#{thread} on {channel} could not be looked at: {reason}").format(**about))
        elif not one.differences:
            said = _("#{thread} on {channel} is as it was sent: all {posts}, in order.")
            screen.say(said.format(**about, posts=posts(one.posts)))
        else:
            screen.say(_("#{thread} on {channel} is not as it was sent:").format(**about))
        number = _("post {number}")
        if one.unseen is not None:
            screen.say(f"    {number.format(number=one.unseen.position)}: {safe(one.unseen.detail)}")
        if any(found.kind == "edited" for found in one.differences):
            command = f"threadcast edit {thread_id} --back"
            screen.say("    → " + _("to make it say again what is stored: {command}").format(command=command))
        for found in one.differences:
            post = f" {number.format(number=found.position)}" if found.position is not None else ""
            screen.say(f"    {_(found.kind)}{post}: {safe(found.detail)}")
