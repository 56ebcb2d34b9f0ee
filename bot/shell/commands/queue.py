"""The queue: what waits, and what its owner decides about it."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

import click

from threadcast.bot.data_folder import AlreadyRunningError, only_one
from threadcast.bot.languages import _, language, translated
from threadcast.bot.requests.changes import Changed
from threadcast.bot.requests.errors import RefusedError
from threadcast.bot.requests.overview import for_owner
from threadcast.bot.shell import completion, views
from threadcast.bot.shell.context import (
    CHANNEL,
    FOLLOW,
    FORCE,
    ONE_CHANNEL,
    THREAD_NUMBER,
    YES,
    Session,
    ThreadNumbers,
    confirm,
    in_session,
    parse_at,
    thread_argument,
    threads_argument,
)
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.faults import report
from threadcast.bot.shell.follow import INTERVAL, stay
from threadcast.bot.wording import exactly, time_refused
from threadcast.config.schedule.languages import in_english
from threadcast.config.schedule.words import WhenError
from threadcast.queue.errors import NotAllowedError, NotFoundError
from threadcast.queue.model import Delivery
from threadcast.queue.states import STOPPED, DeliveryState, Event
from threadcast.queue.store.engine import is_sqlite

STOPPED_WITHIN = 15.0  # seconds that a post in hand has until the answer does not wait for it


@click.command()
@ONE_CHANNEL
@in_session
def queue(session: Session, channel: str | None) -> None:
    """List what waits, and until when.

    What is under way, queued or held, in the order in which it will go out: when it starts, why then, and
    when it should be through. What stopped comes first, with what to do.

    \b
    Examples:
      threadcast queue
      threadcast queue --channel news
    """
    forecasts = session.requests.queries.forecast(channel=channel)
    if session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        session.screen.json({"deliveries": models.many(models.Forecast, forecasts)})
        return
    stopped = for_owner(
        one
        for one in session.requests.queries.deliveries(STOPPED)
        if channel is None or one.channel == channel.lower()
    )
    if forecasts or stopped:
        views.queue(session.screen, forecasts, stopped, session.clock(), running=session.wake())
    else:
        session.screen.say(_("The queue is empty. Add a thread: threadcast add FILE"))


@click.command()
@thread_argument("schedule")
@CHANNEL
@click.option("--now", is_flag=True, help="Before all others, at once, whatever the schedule says.")
@FOLLOW
@in_session
def publish(session: Session, thread_id: int, channels: tuple[str, ...], now: bool, follow: bool) -> None:
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
    changed = session.requests.changes.publish(thread_id, channels=channels, now=now)
    if not (follow and session.as_json):
        views.changed(session, changed, changed.refused)
    if follow:
        stay(session, changed)


@click.command()
@thread_argument("schedule")
@click.option("--first", is_flag=True, help="Before all others.")
@click.option(
    "--after",
    type=THREAD_NUMBER,
    metavar="ID",
    help="Behind this thread.",
    shell_complete=completion.threads("schedule"),
)
@CHANNEL
@in_session
def move(session: Session, thread_id: int, first: bool, after: int | None, channels: tuple[str, ...]) -> None:
    """Change the order of the queue.

    \b
    Examples:
      threadcast move 7 --first
      threadcast move 7 --after 9 --channel news
    """
    if first == (after is not None):
        raise click.UsageError(_("say where: --first, or --after ID"))
    changed = session.requests.changes.move(thread_id, channels=channels, after=after)
    if session.as_json:
        views.changed(session, changed, changed.refused)
        return
    for delivery in changed:
        said = (
            _("#{thread} is first on {channel} now.")
            if after is None
            else _("#{thread} is behind #{other} on {channel} now.")
        )
        session.screen.say(said.format(thread=thread_id, other=after, channel=delivery.channel))
    views.say_refused(session.screen, changed.refused)
    session.screen.say(_("See the order: threadcast queue"))


def _change(event: Event, about: str, more: str) -> click.Command:
    """Return the command for an event that needs no more than a wish; it has the event's name."""

    def change(session: Session, threads: tuple[tuple[int, ...], ...], channels: tuple[str, ...]) -> None:
        changes = session.requests.changes
        _change_each(session, threads, lambda one: changes.apply(one, event, channels=channels))

    words = ("7", "7 --channel news", "3-7 9,12")
    examples = "\n".join(f"  threadcast {event} {each}" for each in words)
    change.__doc__ = f"{about}\n\n{more}\n\n\b\nExamples:\n{examples}\n"
    return click.command(event.value)(threads_argument(event)(CHANNEL(in_session(change))))


def _change_each(
    session: Session, threads: Iterable[Iterable[int]], change: Callable[[int], Changed]
) -> None:
    """Change each thread that allows it; then say why others do not, and exit with the first one's code."""
    numbers = list(dict.fromkeys(number for each in threads for number in each))
    changed: list[Delivery] = []
    refused: list[RefusedError] = []
    refusals: list[Exception] = []
    for number in numbers:
        try:
            came = change(number)
            changed += came
            refused += came.refused
        except (NotAllowedError, NotFoundError) as error:
            refusals.append(error)
    if changed:
        views.changed(session, changed, refused)
    codes = [report(refusal, as_json=session.as_json) for refusal in refusals]
    if codes:
        click.get_current_context().exit(codes[0])


def _until_stopped(session: Session, asked: Changed) -> Changed:
    """Wait until the posts in hand are out; return how the deliveries stand then."""
    begun = [one.channel for one in asked if one.state is DeliveryState.PUBLISHING]
    if begun and not session.wake() and is_sqlite(session.settings.database_url.get_secret_value()):
        # A service that was killed seems to be at work until its leases end.
        with suppress(AlreadyRunningError), only_one(session.settings):
            session.database.work.free_leases(now=session.clock())
            session.requests.changes.apply(asked[0].thread_id, Event.STOP, channels=begun)
    deadline = time.monotonic() + STOPPED_WITHIN
    while True:
        asked = Changed((session.database.reading.delivery(one.id) for one in asked), asked.refused)
        is_over = all(one.state is not DeliveryState.PUBLISHING for one in asked)
        if is_over or not session.wake() or time.monotonic() > deadline:
            return asked
        time.sleep(INTERVAL)


@click.command()
@threads_argument(Event.STOP)
@CHANNEL
@in_session
def stop(session: Session, threads: tuple[tuple[int, ...], ...], channels: tuple[str, ...]) -> None:
    """End a chain that is going out, after the post in hand.

    Nothing more of it goes out until you say so: `threadcast retry` goes on with it, `threadcast undo` takes
    down what is out, `threadcast cancel` leaves that as it is. Where it has not begun, it is held.

    \b
    Examples:
      threadcast stop 7
      threadcast stop 7 --channel news
    """
    ask = session.requests.changes.apply

    def change(one: int) -> Changed:
        return _until_stopped(session, ask(one, Event.STOP, channels=channels))

    _change_each(session, threads, change)


hold = _change(Event.HOLD, "Keep a queued thread back.", "It waits until `threadcast release`.")
release = _change(Event.RELEASE, "Let a held thread go.", "It is published in its turn.")
cancel = _change(Event.CANCEL, "Take a thread out of the queue for good.", "What is out stays out.")


@click.command()
@threads_argument("retry")
@CHANNEL
@click.option(
    "--mend", is_flag=True, help="Behind the last post that still exists, where one was deleted by hand."
)
@in_session
def retry(
    session: Session, threads: tuple[tuple[int, ...], ...], channels: tuple[str, ...], mend: bool
) -> None:
    """Go on with a stopped thread.

    It goes on from the post that was refused.

    \b
    Examples:
      threadcast retry 7
      threadcast retry 3-7 9
      threadcast retry 7 --mend --channel news
    """

    def change(one: int) -> Changed:
        if mend:
            return session.online(lambda ask: ask.chains.mend(one, channels=channels))
        return session.requests.changes.apply(one, Event.RETRY, channels=channels)

    _change_each(session, threads, change)


@click.command()
@click.argument("threads", metavar="ID", type=ThreadNumbers(), shell_complete=completion.threads("schedule"))
@click.argument("when", nargs=-1, metavar="TIME")
@click.option("--each", metavar="TIMES", help="A time for each of several threads, one after the other.")
@CHANNEL
@YES
@in_session
def at(
    session: Session,
    threads: tuple[int, ...],
    when: tuple[str, ...],
    each: str | None,
    channels: tuple[str, ...],
    yes: bool,
) -> None:
    """Give a thread a time of its own.

    Whatever its channels' schedules say. One that is held is let go. With --each, several threads get a time
    each, which is shown and asked first: `daily 9:00`, `mon-fri 9:00,18:30`, `every 2h`; or `slots`: one a
    slot of their channels.

    \b
    Examples:
      threadcast at 7 tomorrow 9:00
      threadcast at 7 fri 18:30 --channel news
      threadcast at 7 in 2h
      threadcast at 7 2026-12-24T18:30
      threadcast at 3-7 --each "daily 9:00"
      threadcast at 3-7 --each slots
    """
    if bool(when) == (each is not None):
        raise click.UsageError(_("say when: TIME, or --each TIMES"))
    zone, changes = session.settings.timezone, session.requests.changes
    if each is None:
        due = parse_at(" ".join(when), zone, hint="TIME", clock=session.clock)
        plan = dict.fromkeys(threads, due)
    else:
        plan = _times(session, threads, each)
        later = _("when its channel goes on")
        lines = [f"#{one}: {exactly(at, zone) if at else later}" for one, at in plan.items()]
        if plan and not (yes or confirm("\n".join([*lines, _("Set these times?")]))):
            again = f"threadcast at {','.join(map(str, threads))} --each '{each}' --yes"
            raise FaultError(_("No time was set; to do it: {command}").format(command=again), Exit.USAGE)

    def change(one: int) -> Changed:
        if each == "slots":
            return changes.in_turn(one, channels=channels)
        return changes.apply(one, Event.SCHEDULE, channels=channels, due=plan[one])

    _change_each(session, [plan or threads], change)


def _times(session: Session, threads: Sequence[int], each: str) -> dict[int, datetime | None]:
    """Return when each thread would start, of those that may."""
    queries = session.requests.queries
    if each == "slots":
        return {one.delivery.thread_id: one.start for one in queries.in_turn(threads)}
    try:
        times = in_english(each.lower(), language())
        plan = queries.one_each(threads, times, after=session.clock(), zone=session.settings.timezone)
    except (ValueError, WhenError) as error:
        said = translated(time_refused(error) if isinstance(error, WhenError) else str(error))
        raise click.BadParameter(said, param_hint="--each") from None
    if not plan:
        said = _("None of these threads waits to begin; see: threadcast queue")
        raise FaultError(said, Exit.NOT_ALLOWED)
    return {**plan}


@click.command()
@thread_argument("settle")
@click.argument("verdict", type=click.Choice(["sent", "not-sent"]))
@click.argument("address", required=False, metavar="[URL]")
@CHANNEL
@FORCE
@in_session
def settle(
    session: Session,
    thread_id: int,
    verdict: str,
    address: str | None,
    channels: tuple[str, ...],
    force: bool,
) -> None:
    """Say whether a doubtful post is out.

    The last post of an unsure thread; then the rest goes on. What you name is looked at first. Said again,
    also later, it corrects what was said before.

    \b
    Examples:
      threadcast settle 7 sent https://social.example/@me/113
      threadcast settle 7 not-sent
    """
    if (verdict == "sent") != (address is not None):
        raise click.UsageError(_("give the post's address after `sent`, and none after `not-sent`"))
    settled = session.online(
        lambda ask: ask.chains.settle(thread_id, address, channels=channels, force=force)
    )
    views.changed(session, [settled])


@click.command()
@thread_argument("skip")
@CHANNEL
@in_session
def skip(session: Session, thread_id: int, channels: tuple[str, ...]) -> None:
    """Leave a refused post out, and go on behind it.

    The chain goes on with the next post, as a reply to the last one that is out.

    \b
    Examples:
      threadcast skip 7
      threadcast skip 7 --channel news
    """
    changed = session.requests.changes.skip(thread_id, channels=channels)
    views.changed(session, changed, changed.refused)
