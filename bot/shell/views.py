"""How answers look to a person: sentences and tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING

from threadcast.bot.channels.port import Finding
from threadcast.bot.languages import N_, _, ngettext
from threadcast.bot.media.words import shown
from threadcast.bot.noticed import noticed
from threadcast.bot.plain import capital
from threadcast.bot.publishing.forecast import CAUSES, Forecast
from threadcast.bot.requests.errors import RefusedError
from threadcast.bot.requests.overview import ANSWERS, answer
from threadcast.bot.requests.queries import Chain, Dossier
from threadcast.bot.settled import linked, settled, unseen
from threadcast.bot.shell.context import Session
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.bot.wording import SHELL, alike, parts, sentence, several, stands, threads, waits
from threadcast.config.schedule.timetable import Cause
from threadcast.queue.model import ChannelRow, Delivery, PostRecord
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.thread import Notice, Severity, Thread

if TYPE_CHECKING:
    from threadcast.bot.requests.preview import Preview
    from threadcast.bot.requests.threads import Receipt

Foreseen = Mapping[int, Forecast]  # by the id of the delivery

NO_SERVICE = N_("No service is running here; start it with: threadcast run")
AT_ONCE = frozenset({CAUSES[Cause.TURN], "under way"})
FEW = 5  # threads that wait for their owner, on the first screen
ABOUT = (N_("id"), N_("channel"), N_("state"), N_("posts"))  # the head of what `_about` tells
CROP = {"title": 20, "next": 48}  # columns that these need at least; a date with its reason is not cut


def on(thread: int, where: str) -> str:
    return _("#{thread} on {channel}").format(thread=thread, channel=where)


def waiting_for_owner(screen: Screen, yours: Sequence[Delivery]) -> None:
    screen.say(f"[bold]{_('Waiting for you')}[/]")
    groups = [
        list(group)
        for _key, group in groupby(yours, key=lambda each: (each.thread_id, each.state, each.reason))
    ]
    for group in groups[:FEW]:
        delivery, where = group[0], several(each.channel for each in group)
        title = _("#{thread} on {channel} is {state}").format(
            thread=delivery.thread_id, channel=where, state=state(stands(delivery))
        )
        screen.say(f"  {title}: {safe(delivery.reason)}")
        screen.say(f"    → {answer(delivery)}")
    if len(groups) > FEW:
        more = _("… and {n} more: threadcast queue, threadcast history").format(n=len(groups) - FEW)
        screen.say(f"  {more}")


def parsed(screen: Screen, many: Sequence[Thread], file: str) -> None:
    """What the parser made of a text."""
    for thread in many:
        held = _(", would be {state}").format(state=state("held")) if thread.warnings else ""
        screen.say(f"[bold]{safe(thread.title)}[/] ({parts(len(thread.parts))}{held})")
        _settings(screen, thread)
        notices(screen, thread.notices)
    screen.say(_("{threads}; nothing was added.").format(threads=threads(len(many))))
    see = _("See the posts: {command}").format(command=f"threadcast preview {safe(quote(file))}")
    screen.say(see, whole=True)


def _settings(screen: Screen, thread: Thread) -> None:
    if said := settled(thread.settings):
        screen.say("  " + _("settings: {settings}").format(settings=safe(said)), whole=True)


def notices(screen: Screen, found: Sequence[Notice]) -> None:
    for notice in sorted(found, key=lambda one: (one.severity is not Severity.WARNING, one.line)):
        said = _("line {line}: {notice}").format(line=notice.line, notice=safe(noticed(notice)))
        screen.say(f"  {state(notice.severity)} {said}")


def receipt(screen: Screen, one: "Receipt", foreseen: Foreseen, now: datetime) -> None:
    """What became of one added thread, and when it starts."""
    number = f"#{one.added.thread_id} " if one.added.thread_id is not None else ""
    screen.say(f"[bold]{number}{safe(one.thread.title)}[/] ({parts(len(one.thread.parts))})")
    _settings(screen, one.thread)
    notices(screen, one.thread.warnings)

    def then(delivery: Delivery) -> str:
        if delivery.state is not DeliveryState.HELD:
            return f", {_starts(screen, delivery, foreseen, now)}"
        # Warnings were said above.
        return "" if one.thread.warnings else f", {safe(delivery.reason)}"

    for said, group in alike(one.added.deliveries, lambda each: f"{state(each.state)}{then(each)}").items():
        screen.say(f"  {several(each.channel for each in group)}: {said}")
    for channel, seen in one.seen.items():
        screen.say(f"  {safe(unseen(channel, len(one.thread.parts), seen))}", whole=True)
    if any(each.state is DeliveryState.HELD for each in one.added.deliveries):
        command = f"threadcast release {one.added.thread_id}"
        screen.say("    → " + _("when it is right: {command}").format(command=command))
    for said, doubles in alike(one.added.duplicates, lambda each: _known(each.existing)).items():
        screen.say(f"  {several(each.channel for each in doubles)}: {said}")


def _known(twin: Delivery) -> str:
    further = (
        _("to publish it once more: add it with --again")
        if twin.state is DeliveryState.PUBLISHED
        else _("see: {command}").format(command=f"threadcast show {twin.thread_id}")
    )
    return _("not added, thread {thread} is the same ({state}); {further}").format(
        thread=twin.thread_id, state=state(twin.state), further=further
    )


def previews(screen: Screen, many: "Sequence[Preview]", of: Sequence[Thread]) -> None:
    """Each thread's posts, once for all channels on which they are the same."""
    for group in alike(
        many, lambda one: (one.thread, one.limit, one.problem, one.posts, one.seen, one.also)
    ).values():
        _preview(screen, group[0], several(one.channel for one in group), of[group[0].thread - 1])


def _preview(screen: Screen, one: "Preview", where: str, thread: Thread) -> None:
    title, many = f"[bold]{safe(thread.title)}[/]", len(one.posts)
    said = ngettext(
        "{title} on {channel}: {n} post, limit {limit}",
        "{title} on {channel}: {n} posts, limit {limit}",
        many,
    )
    screen.say(said.format(title=title, channel=f"[bold]{where}[/]", n=many, limit=one.limit))
    _settings(screen, thread)
    if one.seen is not None:
        screen.say(f"  {safe(unseen(one.channel, len(one.posts), one.seen))}", whole=True)
    if one.also:
        screen.say(f"  {safe(linked(one.channel, one.also))}", whole=True)
    if one.problem:
        screen.say(f"  {state('warning')} {safe(one.problem)}")
    for index, post in enumerate(one.posts, start=1):
        of = _("{n} of {all}")
        place, length = of.format(n=index, all=many), of.format(n=post.length, all=one.limit)
        screen.say(f"[dim]── {place} · {length}[/]")
        for media in post.media:
            screen.say(f"[dim]{safe(shown(media))}[/]")
        for line in post.text.split("\n"):
            screen.say(safe(line))
    screen.say()


def queue(
    screen: Screen,
    forecasts: Sequence[Forecast],
    stopped: Sequence[Delivery],
    now: datetime,
    *,
    running: bool,
) -> None:
    """The queue as a table: when each delivery starts, why then, and when it should be through.

    What stopped stands before it, with what to do. Without a service nothing is promised.
    """
    if stopped:
        waiting_for_owner(screen, stopped)
    rest = [one for one in forecasts if one.delivery.state is not DeliveryState.UNSURE]
    if stopped and rest:
        screen.say()
    if rest:
        lines = []
        for one in rest:
            coming = _foreseen(screen, one, now, running=running)
            lines.append((*_about(one.delivery), coming, safe(one.delivery.title)))
        screen.table((*ABOUT, N_("next"), N_("title")), lines, crop=CROP)
    if not running and any(one.start is not None for one in rest):
        screen.say(_(NO_SERVICE))


def _foreseen(screen: Screen, one: Forecast, now: datetime, *, running: bool) -> str:
    if one.start is None or one.end is None:
        return safe(waits(one, SHELL))
    if not running:
        wish = (
            f"{screen.minute(one.delivery.due)}, " if one.delivery.own_time and one.delivery.due > now else ""
        )
        return f"{wish}{safe(one.why)}"
    start, end = screen.minute(one.start), screen.minute(one.end)
    same_day = start.split()[0] == end.split()[0]
    begins = f"{start}, " if one.start > now else ""
    until = _("until {time}").format(time=end.split()[1] if same_day else end)
    return f"{begins}{safe(one.why)}, {until}"


def history(screen: Screen, chains: Sequence[Chain]) -> None:
    lines = []
    for chain in chains:
        one, first = chain.delivery, _where(chain.posts[0]) if chain.posts else "-"
        lines.append((*_about(one), screen.when(one.finished), first, safe(one.reason or one.title)))
    screen.table((*ABOUT, N_("when"), N_("first post"), "title"), lines)


def _about(delivery: Delivery) -> tuple[str, ...]:
    """What a table tells of each delivery first."""
    return str(delivery.thread_id), delivery.channel, state(stands(delivery)), progress(delivery)


def _where(post: PostRecord) -> str:
    """Where a post can be seen. One that was taken down has no address any more."""
    return _("gone") if post.taken_down else safe(post.url or post.remote_id or "-")


def dossier(
    screen: Screen, one: Dossier, forecasts: Sequence[Forecast], now: datetime, *, running: bool
) -> None:
    """One thread whole; of what waits, when it starts and what it waits for."""
    thread = one.stored.thread
    foreseen = {each.delivery.id: each for each in forecasts if each.start is not None}
    screen.say(f"[bold]#{one.stored.id} {safe(thread.title)}[/]")
    added = screen.when(one.stored.created)
    said = _("{parts} from {source}, added {time}")
    screen.say(said.format(parts=parts(len(thread.parts)), source=safe(one.stored.source), time=added))
    _settings(screen, thread)
    notices(screen, thread.notices)
    for chain in one.chains:
        delivery = chain.delivery
        reason = f": {safe(delivery.reason)}" if delivery.reason else ""
        screen.say()
        screen.say(f"[bold]{delivery.channel}[/] {state(stands(delivery))} {progress(delivery)}{reason}")
        if delivery.id in foreseen:
            screen.say(f"    {_foreseen(screen, foreseen[delivery.id], now, running=running)}")
        if delivery.state in ANSWERS:
            screen.say(f"    → {answer(delivery)}")
        if chain.posts:
            head = (N_("post"), N_("label"), "state", N_("length"), "id", N_("replies to"), N_("url"))
            screen.table(head, map(_post, chain.posts))


def _post(post: PostRecord) -> tuple[str, ...]:
    gone = post.taken_down is not None
    how = f"[dim]{_('gone')}[/]" if gone else state(post.state)
    content = (safe(post.post.label), how, str(post.post.length))
    ids = (safe(post.remote_id or "-"), safe(post.reply_to or "-"))
    return (str(post.position), *content, *ids, "-" if gone else safe(post.url or "-"))


def channels(screen: Screen, rows: Sequence[ChannelRow], configured: frozenset[str]) -> None:
    lines = []
    for row in rows:
        schedule = safe(row.schedule) or _("in turn")
        lines.append((row.name, row.kind, _channel_state(row, configured), safe(row.target), schedule))
    screen.table(("channel", N_("kind"), "state", N_("target"), N_("schedule")), lines)


def _channel_state(row: ChannelRow, configured: frozenset[str]) -> str:
    if row.name not in configured:
        return f"[yellow]{_('no longer configured')}[/]"
    return f"[yellow]{_('paused')}[/]" if row.paused else _("ready")


def findings(screen: Screen, many: Sequence[tuple[str, Finding]]) -> None:
    """What a check found, once for all of which it is the same."""
    for one, group in alike(many, lambda each: each[1]).items():
        names = several(_(about) for about, _finding in group)
        screen.say(f"{state(one.level)}  {safe(names)}: {safe(one.what)}")
        if one.advice:
            screen.say(f"    → {safe(one.advice)}")


def changed(session: Session, deliveries: Sequence[Delivery], refused: Sequence[RefusedError] = ()) -> None:
    """What a request changed, and what happens next; and why it did not change other channels."""
    screen = session.screen
    if session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        screen.json(
            {
                "deliveries": models.many(models.Delivery, deliveries),
                "refused": models.many(models.Refused, refused),
            }
        )
        return
    running = session.wake()
    foreseen, now = session.foreseen(deliveries), session.clock()

    def said(one: Delivery) -> tuple[int, str, str]:
        return one.thread_id, stands(one), _what_follows(screen, one, foreseen, now)

    is_now = _("#{thread} on {channel} is {state} now{follows}.")
    for (thread, word, follows), group in alike(deliveries, said).items():
        names = [one.channel for one in group]
        for where in [several(names)] if len(names) > FEW else names:
            screen.say(is_now.format(thread=thread, channel=where, state=state(word), follows=follows))
        if group[0].state is DeliveryState.FAILED:
            screen.say(f"    → {answer(group[0])}")
    say_refused(screen, refused)
    if not running and any(one.state is DeliveryState.QUEUED for one in deliveries):
        screen.say(_(NO_SERVICE))


def say_refused(screen: Screen, refused: Sequence[RefusedError]) -> None:
    """Why a request was not met on some channels, though on others."""
    for one in refused:
        screen.say(safe(f"{capital(sentence(one, SHELL))}."))


def _what_follows(screen: Screen, delivery: Delivery, foreseen: Foreseen, now: datetime) -> str:
    match delivery.state:
        case DeliveryState.HELD:
            return _("; when it may go: {command}").format(command=f"threadcast release {delivery.thread_id}")
        case DeliveryState.QUEUED:
            return _("; it {starts}").format(starts=_starts(screen, delivery, foreseen, now))
        case DeliveryState.PUBLISHING if delivery.code is Code.PERSON:
            return _(": it ends after the post in hand; see: {command}").format(
                command=f"threadcast show {delivery.thread_id}"
            )
        case DeliveryState.FAILED if delivery.code is Code.PERSON:
            return _so_far(delivery)
        case DeliveryState.CANCELLED:
            return _("; what is out stays out") if delivery.sent else _("; nothing of it went out")
        case _:
            return ""


def _so_far(delivery: Delivery) -> str:
    if not delivery.sent:
        return _(", with nothing out")
    said = ngettext(", with {sent} of {n} post out", ", with {sent} of {n} posts out", delivery.posts)
    return said.format(sent=delivery.sent, n=delivery.posts)


def _starts(screen: Screen, delivery: Delivery, foreseen: Foreseen, now: datetime) -> str:
    """When a queued delivery starts, or what it waits for."""
    one = foreseen.get(delivery.id)
    if one is not None and one.start is None:
        return _("waits: {reason}").format(reason=safe(waits(one, SHELL)))
    if one is not None and one.start is not None and one.start <= now and not delivery.sent:
        return _("starts now")
    if delivery.own_time:
        if delivery.due <= now:
            return _("starts as soon as its channel is free")
        return _("starts {time}").format(time=screen.when(delivery.due))
    if one is not None and one.why not in AT_ONCE:
        return _("starts {time} ({why})").format(time=screen.minute(one.start), why=safe(one.why))
    return _("goes on in its turn") if delivery.sent else _("starts in turn")


def outcome(screen: Screen, delivery: Delivery) -> None:
    """How a delivery ended that was followed, and what to type next."""
    where = on(delivery.thread_id, delivery.channel)
    line = f"{where}: {state(stands(delivery))} {progress(delivery)}"
    if delivery.state is DeliveryState.PUBLISHED:
        screen.say(line)
        return
    reason = f", {safe(delivery.reason)}" if delivery.reason else ""
    screen.say(f"{line}{reason}")
    if delivery.state in ANSWERS:
        screen.say(f"    → {answer(delivery)}")


def progress(delivery: Delivery) -> str:
    """How many posts are out, of how many."""
    return f"{delivery.sent}/{delivery.posts}" if delivery.posts else "-"
