"""Taking a thread's posts down, and comparing them with what the network shows: work that takes a while."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button, stamp
from threadcast.bot.chat.commands import About, Answer, Card, Context, Request, Update, button_only, command
from threadcast.bot.chat.views.message import Message, bold, esc, link, rows
from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.bot.wording import bar, count, exactly
from threadcast.queue.errors import Fault, NotAllowedError
from threadcast.queue.states import Event


@command(
    "undo",
    who=Role.OWNER,
    guessed=False,
    about=About.THREAD,
    events=(Event.WITHDRAW,),
    takes="ID [channel…]",
    help="Take a thread's posts down, newest first; asks first",
)
def undo(context: Context, request: Request) -> Answer:
    """Asks first: what is taken down is gone."""
    requests = context.requests(request.sender)
    dossier = requests.queries.show(request.thread)
    names = {name.lower() for name in request.words}
    chains = [chain for chain in dossier.chains if not names or chain.delivery.channel in names]
    out = sum(1 for chain in chains for post in chain.posts if post.remote_id and post.taken_down is None)
    if not out:
        raise NotAllowedError(Fault.NOTHING_OUT, thread_id=request.thread)
    meant_for = {chain.delivery.channel for chain in chains}
    mark = stamp(chain.delivery for chain in dossier.chains)
    yes = button("Yes, take it down", "undo-yes", request.threads, *sorted(names & meant_for), stamp=mark)
    no = button("No", "card", request.threads)
    posts = f"{count(out, 'post')} of #{request.thread} {bold(dossier.stored.thread.title)}"
    return Answer(Message(f"Take {posts} down for good, the newest first?", rows((yes, no))))


@button_only("undo-yes", who=Role.OWNER)
def undo_yes(context: Context, request: Request) -> Answer:
    requests = context.requests(request.sender)
    names = request.words
    requests.changes.withdraw(request.thread, channels=names)

    async def work(update: Update) -> Card:
        seen: asyncio.Queue[Undoing] = asyncio.Queue()

        async def tell() -> None:
            while True:
                one = await seen.get()
                while not seen.empty():  # the newest is enough
                    one = seen.get_nowait()
                await update(Message(_so_far(one, context)))

        teller = asyncio.create_task(tell())
        try:
            done = await requests.chains.undo(
                request.thread, channels=names, see=seen.put_nowait, pause=_until(context)
            )
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
        again = button("Go on", "undo-yes", request.threads, *names)
        whole = all(one.gone == one.out for one in done)
        return Card(request.thread, "\n".join(_undone(done)), rows=() if whole else ((again,),))

    return Answer(
        Message(f"Taking #{request.thread} down …"),
        toast=f"#{request.thread} is being taken down.",
        work=work,
    )


def _until(context: Context) -> Callable[[datetime], "asyncio.Future[None]"]:
    async def pause(moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - context.clock()).total_seconds()))

    return lambda moment: asyncio.ensure_future(pause(moment))


def _so_far(one: Undoing, context: Context) -> str:
    name = f"🗑 #{one.delivery.thread_id} {bold(one.delivery.channel)}"
    line = f"{name} {bar(one.gone, one.out)} {one.gone}/{one.out} taken down"
    if one.until is not None:
        line += f"\nThe network asks to wait until {exactly(one.until, context.zone)}."
    return line


def _undone(done: Sequence[Undoing]) -> Iterable[str]:
    for one in done:
        name = f"#{one.delivery.thread_id} on {bold(one.delivery.channel)}"
        if one.gone == one.out:
            yield f"🗑 {name} is gone: {_all(one.out)}."
            continue
        yield f"⚠️ {name}: gone are {one.gone} of {count(one.out, 'post')}. What stays:"
        for left in sorted(one.left, key=lambda each: each.position):
            where = f" {link(left.url, 'there')}" if left.url else ""
            yield f"post {left.position}{where}: {esc(left.reason)}"


def _all(posts: int) -> str:
    return "its one post" if posts == 1 else f"all {posts} posts"


@command(
    "audit",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.WITHDRAW,),
    takes="ID [channel…]",
    help="Compare a published thread with what the network shows",
)
def audit(context: Context, request: Request) -> Answer:
    requests = context.requests(request.sender)
    requests.queries.show(request.thread)

    async def work(_: Update) -> Card:
        found = await requests.chains.audit(request.thread, channels=request.words)
        return Card(request.thread, "\n".join(_audited(request.thread, found)))

    return Answer(Message(f"Looking at #{request.thread} on its networks …"), work=work)


def _audited(thread: int, found: Sequence[Audit]) -> Iterable[str]:
    if not found:
        yield f"Nothing of #{thread} is out: /show {thread}"
    for one in found:
        where = f"#{thread} on {bold(one.delivery.channel)}"
        if one.problem:
            yield f"❔ {where} could not be looked at: {esc(one.problem)}"
        elif not one.differences:
            yield f"✅ {where} is as it was sent: {_all(one.posts)}{', in order' if one.posts > 1 else ''}."
        else:
            yield f"⚠️ {where} is not as it was sent:"
        for difference in one.differences:
            post = f" post {difference.position}" if difference.position is not None else ""
            yield f"• {difference.kind}{post}: {esc(difference.detail)}"
