"""Requests that change the queue: each gives what changed, and how the thread stands now."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby

from threadcast.bot.chat.buttons import button, progress, stamp, threads_of
from threadcast.bot.chat.requests.office import Answer, Ask, AskError, Office, foreseen_of
from threadcast.bot.chat.views import cards, lists
from threadcast.bot.chat.views.message import Said, bold, esc, rows
from threadcast.bot.chat.views.moments import exactly
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.input import post_at
from threadcast.bot.requests.requests import Requests
from threadcast.bot.wording import TIMES, time_refused
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState, Event, NotAllowedError, Sent, allowed

QUICK_TIMES = (
    ("In 1 hour", "in 1h"),
    ("In 3 hours", "in 3h"),
    ("Tonight 18:00", "today 18:00"),
    ("Tomorrow 9:00", "tomorrow 9:00"),
)
WHEN = "When shall it start?"  # in a question, so that its answer is known
WHICH = "What is the post's link?"
NEXT = "is next"
MANY = {"is": "are", "goes": "go", "starts": "start"}


async def hold(office: Office, ask: Ask) -> Answer:
    return await _change(office, ask, lambda changes, one: changes.apply(one, Event.HOLD, channels=ask.words))


async def release(office: Office, ask: Ask) -> Answer:
    return await _change(
        office, ask, lambda changes, one: changes.apply(one, Event.RELEASE, channels=ask.words)
    )


async def retry(office: Office, ask: Ask) -> Answer:
    return await _change(
        office,
        ask,
        lambda changes, one: changes.apply(one, Event.RETRY, channels=ask.words),
        "goes on",
    )


async def skip(office: Office, ask: Ask) -> Answer:
    return await _change(
        office,
        ask,
        lambda changes, one: changes.skip(one, channels=ask.words),
        "goes on without the refused post",
    )


async def cancel(office: Office, ask: Ask) -> Answer:
    return await _change(
        office, ask, lambda changes, one: changes.apply(one, Event.CANCEL, channels=ask.words)
    )


async def now(office: Office, ask: Ask) -> Answer:
    """Publish now: the button."""
    return await _change(
        office, ask, lambda changes, one: changes.publish(one, channels=ask.words, now=True), NEXT
    )


async def publish(office: Office, ask: Ask) -> Answer:
    at_once = bool(ask.words) and ask.words[0].lower() == "now"
    names = ask.words[1:] if at_once else ask.words
    return await _change(
        office,
        ask,
        lambda changes, one: changes.publish(one, channels=names, now=at_once),
        NEXT if at_once else "",
    )


async def move(office: Office, ask: Ask) -> Answer:
    match [word.lower() for word in ask.words]:
        case ["first"]:
            after = None
        case ["after", number]:
            try:
                (after,) = threads_of(number)
            except ValueError:
                raise AskError(f"say behind which thread: /move {ask.thread} after 3") from None
        case []:
            first = button("Before all others", "first", ask.threads)
            return Answer(
                Said(
                    f"Where to? By typing: /move {ask.thread} first, or /move {ask.thread} after 3",
                    ((first,),),
                ),
                afresh=True,
            )
        case _:
            raise AskError(f"write /move {ask.thread} first, or /move {ask.thread} after 3")
    return await _move(office, ask, after)


async def first(office: Office, ask: Ask) -> Answer:
    """To the front of the queue: the button."""
    return await _move(office, ask, None)


async def _move(office: Office, ask: Ask, after: int | None) -> Answer:
    moved = await asyncio.to_thread(office.requests(ask.asker).changes.move, ask.thread, after=after)
    where = "first" if after is None else f"behind #{after}"
    channels = ", ".join(dict.fromkeys(one.channel for one in moved))
    headline = f"#{ask.thread} is {where} on {esc(channels)} now."
    return Answer(await office.card(ask.thread, ask.asker, headline=headline), toast=headline)


async def at(office: Office, ask: Ask) -> Answer:
    """A time of its own. The words are the time; from a button of a quick time, the channel is."""
    text = ask.channel or " ".join(ask.words)
    if not text:
        return await when(office, ask)
    try:
        moment = parse_when(text, now=office.clock(), zone=office.zone)
    except WhenError as error:
        raise AskError(time_refused(error)) from None
    starts = f"starts {exactly(moment, office.zone)}"
    return await _change(
        office, ask, lambda changes, one: changes.apply(one, Event.SCHEDULE, due=moment), starts
    )


async def when(office: Office, ask: Ask) -> Answer:
    """When? With the times that are asked for most."""
    mark = await _mark(office, ask)
    to_come = await asyncio.to_thread(_to_come, office)
    quick = [button(label, "at", ask.threads, channel=words, stamp=mark) for label, words in to_come]
    other = button("Another time…", "other-time", ask.threads, stamp=mark)
    said = f"When shall {_numbers(ask.threads)} start? By typing: /at {ask.thread} fri 18:30"
    return Answer(Said(said, rows(quick[:2], quick[2:], (other,))), afresh=True)


def _to_come(office: Office) -> list[tuple[str, str]]:
    """The quick times that have not passed today."""
    found: list[tuple[str, str]] = []
    for label, words in QUICK_TIMES:
        with suppress(WhenError):
            parse_when(words, now=office.clock(), zone=office.zone)
            found.append((label, words))
    return found


async def other_time(office: Office, ask: Ask) -> Answer:  # noqa: ARG001  # as every request
    """A question, whose answer comes as a reply."""
    return Answer(Said(f"{_numbers(ask.threads)} · {WHEN}\nAs {TIMES}", asks="tomorrow 9:00"), afresh=True)


async def _mark(office: Office, ask: Ask) -> str:
    return stamp(await asyncio.to_thread(_all_of, office.requests(ask.asker), ask.threads))


async def settle(office: Office, ask: Ask) -> Answer:
    """`sent LINK [channel]`, or `not-sent [channel]`."""
    match list(ask.words):
        case ["sent", link, *names]:
            sent: Sent | None = post_at(link)
        case ["not-sent", *names]:
            sent = None
        case []:
            return await _doubts(office, ask)
        case _:
            raise AskError(
                f"look whether the post is out, then write /settle {ask.thread} sent LINK, "
                f"or /settle {ask.thread} not-sent"
            )
    return await _settle(office, ask, sent, names)


async def _doubts(office: Office, ask: Ask) -> Answer:
    """What is in doubt, with the buttons that settle it."""
    dossier = await asyncio.to_thread(office.requests(ask.asker).queries.show, ask.thread)
    if not any(Event.SETTLE in allowed(chain.delivery.state) for chain in dossier.chains):
        raise NotAllowedError(
            f"nothing of thread {ask.thread} is in doubt; see: threadcast show {ask.thread}"
        )
    headline = f"Look whether the post is out. By typing: /settle {ask.thread} sent LINK, or not-sent"
    return Answer(await office.card(ask.thread, ask.asker, headline=headline))


async def there(office: Office, ask: Ask) -> Answer:  # noqa: ARG001  # as every request
    """It is there: then its link has to be known."""
    where = f"#{ask.thread} on {esc(ask.channel)}"
    return Answer(
        Said(f"{where} · {WHICH}\nOpen the post, copy its link, and reply with it.", asks="https://"),
        afresh=True,
    )


async def not_there(office: Office, ask: Ask) -> Answer:
    return await _settle(office, ask, None, [ask.channel])


async def _settle(office: Office, ask: Ask, sent: Sent | None, names: Sequence[str]) -> Answer:
    requests = office.requests(ask.asker)
    one = await asyncio.to_thread(requests.changes.settle, ask.thread, sent, channels=names)
    what = "is out, you said" if sent else "is not out, you said: it is sent again"
    headline = f"#{ask.thread} on {esc(one.channel)}: the post {what}."
    return await _goes_on(office, ask, headline)


async def pause(office: Office, ask: Ask) -> Answer:
    return await _pause(office, ask, "paused", lambda changes, names: changes.pause(names))


async def resume(office: Office, ask: Ask) -> Answer:
    return await _pause(office, ask, "ready", lambda changes, names: changes.pause(names, paused=False))


async def _pause(
    office: Office, ask: Ask, word: str, change: Callable[[Changes, Sequence[str]], object]
) -> Answer:
    requests = office.requests(ask.asker)
    names = [ask.channel] if ask.channel else list(ask.words)
    await asyncio.to_thread(change, requests.changes, names)
    found = await asyncio.to_thread(requests.queries.channels)
    shown = lists.channels(found, requests.queries.configured, ask.asker.role)
    said = f"{', '.join(names) or 'every channel'}: {word} now."
    return Answer(Said(f"{esc(said)}\n\n{shown.text}", shown.buttons), toast=said)


async def _change(
    office: Office, ask: Ask, change: Callable[[Changes, int], tuple[Delivery, ...]], what: str = ""
) -> Answer:
    """Change each thread where its state allows it; where it allows it for none, say why.

    `what` says what it does now, where its state does not say enough.
    """
    requests = office.requests(ask.asker)

    def every() -> list[Delivery]:
        changed: list[Delivery] = []
        refusals: list[NotAllowedError] = []
        for one in ask.threads:
            try:
                changed += change(requests.changes, one)
            except NotAllowedError as error:
                refusals.append(error)
        if not changed:
            raise refusals[0]
        return changed

    changed = await asyncio.to_thread(every)
    headline = " ".join(_said(changed, what))
    if len(ask.threads) == 1:
        return await _goes_on(office, ask, headline)
    return Answer(await standing(office, ask, headline), toast=headline)


async def _goes_on(office: Office, ask: Ask, headline: str) -> Answer:
    """What changed, and how the thread stands now; the message goes on to show it."""
    dossier = await asyncio.to_thread(office.requests(ask.asker).queries.show, ask.thread)
    said = await asyncio.to_thread(office.card_of, dossier, ask.asker.role, headline=headline)
    shown = progress(chain.delivery for chain in dossier.chains)
    return Answer(said, toast=headline, live=(ask.thread, shown))


async def standing(office: Office, ask: Ask, headline: str) -> Said:
    """How the thread of a request stands now, or how its threads do."""
    if len(ask.threads) == 1:
        return await office.card(ask.thread, ask.asker, headline=headline)
    return await asyncio.to_thread(_batch, office, ask, headline)


def _batch(office: Office, ask: Ask, headline: str) -> Said:
    requests = office.requests(ask.asker)
    look = office.look(ask.asker.role)
    deliveries = _all_of(requests, ask.threads)
    foreseen = foreseen_of(requests, deliveries)
    lines = [headline]
    for _, group in groupby(deliveries, key=lambda one: one.thread_id):
        each = list(group)
        lines += ["", f"#{each[0].thread_id} {bold(each[0].title)}"]
        for one in each:
            waits = (
                f": {esc(cards.starts(one, foreseen.get(one.id), look))}" if one.state is cards.QUEUED else ""
            )
            lines.append(f"{cards.SIGNS[one.state]} {bold(one.channel)} {one.state}{waits}")
    return Said("\n".join(lines), cards.batch_buttons(ask.threads, deliveries, ask.asker.role))


def _all_of(requests: Requests, threads: Sequence[int]) -> list[Delivery]:
    return [chain.delivery for one in threads for chain in requests.queries.show(one).chains]


def _numbers(threads: Sequence[int]) -> str:
    return f"#{threads[0]}" if len(threads) == 1 else f"#{threads[0]}-{threads[-1]}"


def _said(changed: Sequence[Delivery], what: str) -> Iterable[str]:
    """What is now: `#7 on news, masto is held now.` Threads that fare alike are named together."""
    channels: dict[tuple[DeliveryState, int], list[str]] = {}
    for one in sorted(changed, key=lambda each: (each.state, each.thread_id, each.channel)):
        channels.setdefault((one.state, one.thread_id), []).append(one.channel)
    alike: dict[tuple[DeliveryState, str], list[int]] = {}
    for (state, thread), names in channels.items():
        alike.setdefault((state, ", ".join(names)), []).append(thread)
    for (state, where), threads in alike.items():
        several, ranges = len(threads) > 1, _ranges(threads)
        verb, _, rest = (what or f"is {state} now").partition(" ")
        does = f"{MANY.get(verb, verb) if several else verb} {rest}".rstrip()
        more = ""
        if state is DeliveryState.HELD:
            ways = ", ".join(f"/release {one}" for one in ranges)
            more = f"; to let {'them' if several else 'it'} go: {ways}"
        yield f"{', '.join(f'#{one}' for one in ranges)} on {esc(where)} {does}{more}."


def _ranges(threads: Sequence[int]) -> list[str]:
    """`7-9` for 7, 8, 9."""
    found: list[list[int]] = []
    for one in threads:
        if found and one == found[-1][-1] + 1:
            found[-1].append(one)
        else:
            found.append([one])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found]
