"""Taking a thread's posts down, and comparing them with what the network shows: work that takes a while."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from threadcast.bot.chat.buttons import button, stamp
from threadcast.bot.chat.requests.office import Answer, Ask, Office, Update
from threadcast.bot.chat.views.message import Said, bold, esc, link, rows
from threadcast.bot.chat.views.moments import bar, count, exactly
from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.queue.states import NotAllowedError


async def undo(office: Office, ask: Ask) -> Answer:
    """Asks first: what is taken down is gone."""
    requests = office.requests(ask.asker)
    dossier = await asyncio.to_thread(requests.queries.show, ask.thread)
    names = {name.lower() for name in ask.words}
    chains = [chain for chain in dossier.chains if not names or chain.delivery.channel in names]
    out = sum(1 for chain in chains for post in chain.posts if post.remote_id and post.taken_down is None)
    if not out:
        raise NotAllowedError(f"nothing of thread {ask.thread} is out; see: threadcast show {ask.thread}")
    mark = stamp(chain.delivery for chain in dossier.chains)
    channel = next(iter(names)) if len(names) == 1 else ""
    yes = button("Yes, take it down", "undo-yes", ask.threads, channel=channel, stamp=mark)
    no = button("No", "card", ask.threads)
    posts = f"{count(out, 'post')} of #{ask.thread} {bold(dossier.stored.thread.title)}"
    return Answer(Said(f"Take {posts} down for good, the newest first?", rows((yes, no))), afresh=True)


async def undo_yes(office: Office, ask: Ask) -> Answer:
    requests = office.requests(ask.asker)
    names = [ask.channel] if ask.channel else []
    await asyncio.to_thread(requests.changes.withdraw, ask.thread, channels=names)

    async def work(update: Update) -> Said:
        seen: asyncio.Queue[Undoing] = asyncio.Queue()

        async def tell() -> None:
            while True:
                one = await seen.get()
                while not seen.empty():  # the newest is enough
                    one = seen.get_nowait()
                await update(Said(_so_far(one, office)))

        teller = asyncio.create_task(tell())
        try:
            done = await requests.chains.undo(
                ask.thread, channels=names, see=seen.put_nowait, pause=_until(office)
            )
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
        again = button("Go on", "undo-yes", ask.threads, channel=ask.channel)
        whole = all(one.gone == one.out for one in done)
        return Said("\n".join(_undone(done)), () if whole else ((again,),))

    return Answer(
        Said(f"Taking #{ask.thread} down …"), toast=f"#{ask.thread} is being taken down.", work=work
    )


def _until(office: Office) -> Callable[[datetime], "asyncio.Future[None]"]:
    async def pause(moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - office.clock()).total_seconds()))

    return lambda moment: asyncio.ensure_future(pause(moment))


def _so_far(one: Undoing, office: Office) -> str:
    name = f"🗑 #{one.delivery.thread_id} {bold(one.delivery.channel)}"
    line = f"{name} {bar(one.gone, one.out)} {one.gone}/{one.out} taken down"
    if one.until is not None:
        line += f"\nThe network asks to wait until {exactly(one.until, office.zone)}."
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


async def audit(office: Office, ask: Ask) -> Answer:
    requests = office.requests(ask.asker)
    await asyncio.to_thread(requests.queries.show, ask.thread)

    async def work(_: Update) -> Said:
        found = await requests.chains.audit(ask.thread, channels=ask.words)
        return Said("\n".join(_audited(ask.thread, found)))

    return Answer(Said(f"Looking at #{ask.thread} on its networks …"), afresh=True, work=work)


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
