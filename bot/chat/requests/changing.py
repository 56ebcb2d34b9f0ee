"""Requests that change the queue: each gives what changed, and how the thread stands now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button, ranges, stamp, threads_of
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
    foreseen_of,
)
from threadcast.bot.chat.requests import adding
from threadcast.bot.chat.views import asking, cards, lists
from threadcast.bot.chat.views.message import Message, bold, esc, esc_lines, sentence
from threadcast.bot.plain import capital
from threadcast.bot.requests.changes import Changed
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.requests.requests import Requests
from threadcast.bot.wording import several, stands
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState, Event, allowed

PLURALS = {"is": "are", "goes": "go", "starts": "start"}

of_threads = partial(command, who=Role.OWNER, about=About.THREADS, takes="ID [channel…]")

Does = tuple[str, str]  # a verb of PLURALS, and what stands behind it


@of_threads("hold", events=(Event.HOLD,), help="Keep a queued thread back")
def hold(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.HOLD)


@of_threads("release", guessed=False, events=(Event.RELEASE,), help="Let a held thread go, in its turn")
def release(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.RELEASE)


@of_threads(
    "retry",
    guessed=False,
    events=(Event.RETRY,),
    help="Go on with a stopped thread, from the post that was refused",
)
def retry(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.RETRY, ("goes", "on"))


@of_threads(
    "stop",
    guessed=False,
    events=(Event.STOP,),
    help="End a chain that is going out, after the post in hand",
    more="/retry 7 goes on with it, /undo 7 takes down what is out, /cancel 7 leaves that as it is.\n/stop 7",
)
def stop(context: Context, request: Request) -> Answer:
    return _event(context, request, Event.STOP)


@of_threads(
    "skip", guessed=False, events=(Event.SKIP,), help="Leave the refused post out, and go on behind it"
)
def skip(context: Context, request: Request) -> Answer:
    what = ("goes", "on without the refused post")
    skip_one = context.requests(request.sender).changes.skip
    return change_each(context, request, partial(skip_one, channels=request.words), what)


@command(
    "cancel",
    who=Role.EDITOR,
    guessed=False,
    about=About.DRAFT,
    events=(Event.CANCEL,),
    takes="[ID [channel…]]",
    help="Take a thread out of the queue; without an ID: drop what you pasted",
    more="What is out stays out; /undo takes it down. Threads are cancelled by owners.\n/cancel 7",
)
def cancel(context: Context, request: Request) -> Answer:
    if not request.threads:
        return adding.drop(context, request)
    if request.sender.role is not Role.OWNER:
        raise NotYoursError
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


@button_only("cancel-yes", who=Role.OWNER)
def cancel_yes(context: Context, request: Request) -> Answer:
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
    takes="ID [now] [channel…]",
    help="Let a held thread go; now: before all others",
    more="/publish 7      it starts in its turn\n"
    "/publish 7 now  at once, before all others, whatever the schedule\n"
    "/publish 7 now masto  there alone, also where it was not meant for so far",
)
def publish(context: Context, request: Request) -> Answer:
    at_once = bool(request.words) and request.words[0].lower() == "now"
    names = request.words[1:] if at_once else request.words
    return _publish(context, request, names, now=at_once)


def _publish(context: Context, request: Request, names: Sequence[str], *, now: bool) -> Answer:
    """In their order, where they are several."""
    changes, before = context.requests(request.sender).changes, request.threads[0] - 1

    def publish_one(thread: int) -> Changed:
        after = thread - 1 if now and thread - 1 > before else None
        return changes.publish(thread, channels=names, now=now, after=after)

    return change_each(context, request, publish_one, ("is", "next") if now else None)


@command(
    "move",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.SCHEDULE,),
    takes="ID first | ID after ID",
    help="Change the order",
    more="/move 7 first    before all others\n/move 7 after 3  behind thread 3",
)
def move(context: Context, request: Request) -> Answer:
    match [word.lower() for word in request.words]:
        case ["first"]:
            after = None
        case ["after", number]:
            try:
                (after,) = threads_of(number)
            except ValueError:
                raise UsageError(f"say behind which thread: /move {request.thread} after 3") from None
        case []:
            first = button("Before all others", "first", request.threads)
            return Answer(
                Message(
                    f"Where to? By typing: /move {request.thread} first, or /move {request.thread} after 3",
                    ((first,),),
                ),
                afresh=True,
            )
        case _:
            raise UsageError(f"write /move {request.thread} first, or /move {request.thread} after 3")
    return _move(context, request, after)


@button_only("first", who=Role.OWNER)
def first(context: Context, request: Request) -> Answer:
    """To the front of the queue: the button."""
    return _move(context, request, None)


def _move(context: Context, request: Request, after: int | None) -> Answer:
    moved = context.requests(request.sender).changes.move(request.thread, after=after)
    where = "first" if after is None else f"behind #{after}"
    channels = several(one.channel for one in moved)
    headline = f"#{request.thread} is {where} on {esc(channels)} now."
    return Answer(standing(context, request, headline), toast=headline)


@command("pause", who=Role.OWNER, takes="[channel…]", help="Publish nothing more on a channel, or on all")
def pause(context: Context, request: Request) -> Answer:
    return _pause(context, request, "paused", context.requests(request.sender).changes.pause)


@command("resume", who=Role.OWNER, takes="[channel…]", help="Let paused channels go on")
def resume(context: Context, request: Request) -> Answer:
    return _pause(
        context, request, "ready", partial(context.requests(request.sender).changes.pause, paused=False)
    )


def _pause(
    context: Context, request: Request, word: str, change: Callable[[Sequence[str]], object]
) -> Answer:
    requests = context.requests(request.sender)
    names = request.words
    change(names)
    found = requests.queries.channels()
    shown = lists.channels(found, requests.queries.configured, request.sender.role)
    said = f"{several(names) or 'every channel'}: {word} now."
    return Answer(Message(f"{esc(said)}\n\n{shown.text}", shown.buttons), toast=said)


def _event(context: Context, request: Request, event: Event, what: Does | None = None) -> Answer:
    apply = context.requests(request.sender).changes.apply
    return change_each(context, request, partial(apply, event=event, channels=request.words), what)


def change_each(
    context: Context,
    request: Request,
    change: Callable[[int], Changed],
    what: Does | None = None,
) -> Answer:
    """Change each thread where its state allows it; say why it does not elsewhere, where it was typed.

    `what` says what it does now, where its state does not say enough.
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
    headline = " ".join(_now(changed, what))
    why = [esc_lines(capital(sentence(one))) for one in refusals] if request.message is None else []
    return Answer(standing(context, request, "\n".join([headline, *why])), toast=headline)


def standing(context: Context, request: Request, headline: str) -> Card | Message:
    """How the thread of a request stands now, or how its threads do. Raises NotFoundError."""
    requests, viewer = context.requests(request.sender), context.viewer(request.sender.role)
    deliveries = all_of(requests, request.threads)
    if len(request.threads) == 1:
        return Card(request.thread, headline)
    foreseen = foreseen_of(requests, deliveries)
    lines = [headline] if headline else []
    for _, group in groupby(deliveries, key=lambda one: one.thread_id):
        each = list(group)
        lines += ["", f"#{each[0].thread_id} {bold(each[0].title)}"]
        for one in each:
            line = f"{cards.SIGNS[one.state]} {bold(one.channel)} {stands(one)}"
            if one.state is cards.QUEUED:
                line += f": {esc(cards.starts(one, foreseen.get(one.id), viewer))}"
            lines.append(line)
    every = cards.batch_buttons(
        request.threads, deliveries, viewer.role, foreseen, more=request.name == "more"
    )
    return Message("\n".join(lines).strip("\n"), every)


def all_of(requests: Requests, threads: Sequence[int]) -> list[Delivery]:
    return [chain.delivery for one in threads for chain in requests.queries.show(one).chains]


def _now(changed: Sequence[Delivery], what: Does | None) -> Iterable[str]:
    """What is now: `#7 on news, masto is held now.` Threads that fare alike are named together."""
    channels: dict[tuple[str, int], list[str]] = {}
    for one in sorted(changed, key=lambda each: (each.state, each.thread_id, each.channel)):
        channels.setdefault((stands(one), one.thread_id), []).append(one.channel)
    alike: dict[tuple[str, str], list[int]] = {}
    for (state, thread), names in channels.items():
        alike.setdefault((state, ", ".join(names)), []).append(thread)
    for (state, where), threads in alike.items():
        several, runs = len(threads) > 1, ranges(threads)
        verb, rest = what or ("is", f"{state} now")
        more = ""
        if state == DeliveryState.HELD:
            ways = f"/release {','.join(runs)}"
            more = f"; to let {'them' if several else 'it'} go: {ways}"
        does = PLURALS[verb] if several else verb
        yield f"{', '.join(f'#{one}' for one in runs)} on {esc(where)} {does} {rest}{more}."
