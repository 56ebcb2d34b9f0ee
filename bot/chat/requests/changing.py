"""Requests that change the queue: each gives what changed, and how the thread stands now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from threadcast.bot.channels.stored import stored
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button, stamp, threads_of
from threadcast.bot.chat.commands import (
    About,
    Answer,
    Card,
    Context,
    NotYoursError,
    Request,
    UsageError,
    button_only,
    command,
)
from threadcast.bot.chat.requests import adding
from threadcast.bot.chat.requests.wishes import AT_ONCE, meaning
from threadcast.bot.chat.views import asking, cards, lists
from threadcast.bot.chat.views.message import Message, bold, esc, esc_lines, sentence
from threadcast.bot.languages import N_, _, ngettext
from threadcast.bot.plain import capital
from threadcast.bot.requests.changes import Changed
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.requests.queries import foreseen_of, is_own
from threadcast.bot.requests.requests import Requests
from threadcast.bot.wording import several, stands
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState, Event, allowed

of_threads = partial(command, who=Role.OWNER, about=About.THREADS, takes=N_("ID [channel…]"))

Says = Callable[[int, str, str], str]  # what so many threads, named, do now on these channels


def go_on(number: int, threads: str, channels: str) -> str:
    return ngettext("{threads} on {channels} goes on.", "{threads} on {channels} go on.", number).format(
        threads=threads, channels=channels
    )


def go_on_behind(number: int, threads: str, channels: str) -> str:
    return ngettext(
        "{threads} on {channels} goes on without the refused post.",
        "{threads} on {channels} go on without the refused post.",
        number,
    ).format(threads=threads, channels=channels)


def are_next(number: int, threads: str, channels: str) -> str:
    return ngettext("{threads} on {channels} is next.", "{threads} on {channels} are next.", number).format(
        threads=threads, channels=channels
    )


@of_threads("hold", events=(Event.HOLD,), of_channels="pause", help=N_("Keep a queued thread back"))
def hold(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.HOLD)


@of_threads(
    "release",
    guessed=False,
    of_channels="resume",
    events=(Event.RELEASE,),
    help=N_("Let a held thread go, in its turn"),
)
def release(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.RELEASE)


@of_threads(
    "retry",
    guessed=False,
    events=(Event.RETRY,),
    help=N_("Go on with a stopped thread, from the post that was refused"),
)
def retry(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.RETRY, go_on)


@of_threads(
    "stop",
    of_channels="pause",
    guessed=False,
    events=(Event.STOP,),
    help=N_("End a chain that is going out, after the post in hand"),
    more=N_(
        "/retry 7 goes on with it, /undo 7 takes down what is out, /cancel 7 leaves that as it is.\n/stop 7"
    ),
)
def stop(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.STOP)


@of_threads(
    "skip", guessed=False, events=(Event.SKIP,), help=N_("Leave the refused post out, and go on behind it")
)
def skip(context: Context, request: Request) -> Answer:
    skip_one = context.requests(request.sender).changes.skip
    return change_each(context, request, partial(skip_one, channels=request.words), go_on_behind)


@command(
    "cancel",
    who=Role.EDITOR,
    guessed=False,
    about=About.DRAFT,
    events=(Event.CANCEL,),
    takes=N_("[ID [channel…]]"),
    help=N_("Take a thread out of the queue; without an ID: drop what you pasted"),
    more=N_("What is out stays out; /undo takes it down. Editors cancel what they added.\n/cancel 7"),
)
def cancel(context: Context, request: Request) -> Answer:
    if not request.threads:
        return adding.drop(context, request)
    _require_own(context, request)
    deliveries = all_of(context.requests(request.sender), request.threads)
    meant = [
        one
        for one in deliveries
        if Event.CANCEL in allowed(one.state)
        and request.is_for(one.channel)
        and (one.lease_until is None or one.lease_until <= context.clock())  # else a worker is at it
    ]
    if not meant:
        return cancel_yes(context, request)  # which says why not
    return Answer(asking.cancel(request.threads, request.words, meant, stamp(deliveries)))


def _require_own(context: Context, request: Request) -> None:
    """An editor takes back what they added, as long as it waits. Raises NotYoursError, NotFoundError."""
    if request.sender.role is Role.OWNER:
        return
    for thread in request.threads:
        if not is_own(context.requests(request.sender).queries.show(thread), request.sender.actor):
            raise NotYoursError


@button_only("begin", who=Role.EDITOR)
def begin(context: Context, request: Request) -> Answer:
    """What was written shall be a thread."""
    if context.drafts.of(request.sender):
        context.drafts.doubt(request.sender, is_thread=True)
    return Answer(adding.drafted(context, request.sender))


@button_only("cancel-yes", who=Role.EDITOR)
def cancel_yes(context: Context, request: Request) -> Answer:
    _require_own(context, request)
    return _event(context, request, Event.CANCEL)


@button_only("card", who=Role.EDITOR)
def card(context: Context, request: Request) -> Answer:
    """How it stands: what is behind the button that leads back."""
    return Answer(standing(context, request, ""))


@button_only("more", who=Role.EDITOR)
def more(context: Context, request: Request) -> Answer:
    """The buttons that are not asked for most."""
    shown = standing(context, request, "")
    return Answer(replace(shown, more=True) if isinstance(shown, Card) else shown)


@button_only("now", who=Role.OWNER)
def now(context: Context, request: Request) -> Answer:
    return _publish(context, request, (), now=True)


@command(
    "publish",
    who=Role.OWNER,
    guessed=False,
    about=About.THREADS,
    events=(Event.RELEASE, Event.SCHEDULE),
    takes=N_("ID [now] [channel…]"),
    help=N_("Let a held thread go; now: before all others"),
    more=N_(
        "/publish 7      it starts in its turn\n"
        "/publish 7 now  at once, before all others, whatever the schedule\n"
        "/publish 7 now masto  there alone, also where it was not meant for so far"
    ),
)
def publish(context: Context, request: Request) -> Answer:
    at_once = bool(request.words) and request.words[0].lower() in meaning(AT_ONCE)
    names = request.words[1:] if at_once else request.words
    return _publish(context, request, names, now=at_once)


def _publish(context: Context, request: Request, names: Sequence[str], *, now: bool) -> Answer:
    """In their order, where they are several."""
    changes, before = context.requests(request.sender).changes, request.threads[0] - 1

    def publish_one(thread: int) -> Changed:
        after = thread - 1 if now and thread - 1 > before else None
        return changes.publish(thread, channels=names, now=now, after=after)

    return change_each(context, request, publish_one, are_next if now else None)


@command(
    "move",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.SCHEDULE,),
    takes=N_("ID first | ID after ID"),
    help=N_("Change the order"),
    more=N_("/move 7 first    before all others\n/move 7 after 3  behind thread 3"),
)
def move(context: Context, request: Request) -> Answer:
    match [word.lower() for word in request.words]:
        case ["first"]:
            after = None
        case ["after", number]:
            try:
                (after,) = threads_of(number)
            except ValueError:
                said = _("say behind which thread: /move {thread} after 3")
                raise UsageError(said.format(thread=request.thread)) from None
        case []:
            first = button(_("Before all others"), "first", request.threads)
            said = _("Where to? By typing: /move {thread} first, or /move {thread} after 3")
            return Answer(Message(said.format(thread=request.thread), ((first,),)), afresh=True)
        case _:
            said = _("write /move {thread} first, or /move {thread} after 3")
            raise UsageError(said.format(thread=request.thread))
    return _move(context, request, after)


@button_only("first", who=Role.OWNER)
def first(context: Context, request: Request) -> Answer:
    """To the front of the queue: the button."""
    return _move(context, request, None)


def _move(context: Context, request: Request, after: int | None) -> Answer:
    moved = context.requests(request.sender).changes.move(request.thread, after=after)
    if after is None:
        said = _("#{thread} is first on {channels} now.")
    else:
        said = _("#{thread} is behind #{other} on {channels} now.")
    channels = several(one.channel for one in moved)
    headline = said.format(thread=request.thread, other=after, channels=esc(channels))
    return Answer(standing(context, request, headline), toast=headline)


@command(
    "pause", who=Role.OWNER, takes=N_("[channel…]"), help=N_("Publish nothing more on a channel, or on all")
)
def pause(context: Context, request: Request) -> Answer:
    said = (_("{channels}: paused now."), _("every channel: paused now."))
    return _pause(context, request, said, context.requests(request.sender).changes.pause)


@command(
    "resume",
    who=Role.OWNER,
    guessed=False,
    takes=N_("[channel…]"),
    help=N_("Let paused channels go on"),
)
def resume(context: Context, request: Request) -> Answer:
    said = (_("{channels}: ready now."), _("every channel: ready now."))
    change = partial(context.requests(request.sender).changes.pause, paused=False)
    return _pause(context, request, said, change)


def _pause(
    context: Context, request: Request, said: tuple[str, str], change: Callable[[Sequence[str]], object]
) -> Answer:
    """Change these channels or all, and say it: of some, or of every one."""
    requests = context.requests(request.sender)
    names = request.words
    change(names)
    found = requests.queries.channels()
    shown = lists.channels(found, requests.queries.configured, request.sender.role, stored(context.notes))
    of_some, of_all = said
    now = of_some.format(channels=several(names)) if names else of_all
    return Answer(Message(f"{esc(now)}\n\n{shown.text}", shown.buttons), toast=now)


def _event(context: Context, request: Request, event: Event, says: Says | None = None) -> Answer:
    apply = context.requests(request.sender).changes.apply
    return change_each(context, request, partial(apply, event=event, channels=request.words), says)


def change_each(
    context: Context,
    request: Request,
    change: Callable[[int], Changed],
    says: Says | None = None,
) -> Answer:
    """Change each thread where its state allows it; say why it does not elsewhere, where it was typed.

    `says` is what is said of those that were changed, where their state does not say enough.
    """
    changed: list[Delivery] = []
    refusals: list[RefusedError] = []
    for one in request.threads:
        try:
            came = change(one)
            changed += came
            refusals += came.refused
        except RefusedError as error:
            refusals.append(error)
    if not changed:
        raise RefusedError(Problem.NOWHERE, refusals=refusals)
    headline = " ".join(_now(changed, says))
    why = [esc_lines(capital(sentence(one))) for one in refusals] if request.message is None else []
    now = standing(context, request, "\n".join([headline, *why]))
    if isinstance(now, Card) and not why:
        now = replace(now, changed=changed)
    return Answer(now, toast=headline)


def standing(context: Context, request: Request, headline: str) -> Card | Message:
    """How the thread of a request stands now, or how its threads do. Raises NotFoundError for several."""
    if len(request.threads) == 1:
        return Card(request.thread, headline)  # it is read when it is said
    requests, viewer = context.requests(request.sender), context.viewer(request.sender.role)
    deliveries = all_of(requests, request.threads)
    foreseen = foreseen_of(requests.queries, deliveries)
    lines = [headline] if headline else []
    for group in (list(found) for key, found in groupby(deliveries, key=lambda one: one.thread_id)):
        lines += ["", f"#{group[0].thread_id} {bold(group[0].title)}"]
        for one in group:
            line = f"{cards.SIGNS[one.state]} {bold(one.channel)} {_(stands(one))}"
            if one.state is cards.QUEUED:
                line += f": {esc(cards.starts(one, foreseen.get(one.id), viewer))}"
            lines.append(line)
    every = cards.batch_buttons(
        request.threads, deliveries, viewer.role, foreseen, more=request.name == "more"
    )
    return Message("\n".join(lines).strip("\n"), every)


def all_of(requests: Requests, threads: Sequence[int]) -> list[Delivery]:
    return [delivery for one in threads for delivery in requests.queries.deliveries(thread=one)]


def _now(changed: Sequence[Delivery], says: Says | None) -> Iterable[str]:
    """What is now: `#7 on news, masto is held now.` Threads that fare alike are named together."""
    channels: dict[tuple[str, int], list[str]] = {}
    for one in sorted(changed, key=lambda each: (each.state, each.thread_id, each.channel)):
        channels.setdefault((stands(one), one.thread_id), []).append(one.channel)
    alike: dict[tuple[str, str], list[int]] = {}
    for (state, thread), names in channels.items():
        alike.setdefault((state, ", ".join(names)), []).append(thread)
    for (state, where), threads in alike.items():
        said = says or (_are_held if state == DeliveryState.HELD else partial(_are, state))
        yield said(len(threads), asking.numbers(threads), esc(where))


def _are(state: str, number: int, threads: str, channels: str) -> str:
    return ngettext(
        "{threads} on {channels} is {state} now.", "{threads} on {channels} are {state} now.", number
    ).format(threads=threads, channels=channels, state=_(state))


def _are_held(number: int, threads: str, channels: str) -> str:
    return ngettext(
        "{threads} on {channels} is held now; to let it go: {command}.",
        "{threads} on {channels} are held now; to let them go: {command}.",
        number,
    ).format(
        threads=threads, channels=channels, command=f"/release {threads.replace('#', '').replace(' ', '')}"
    )
