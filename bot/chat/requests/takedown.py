"""Taking a thread's posts down, and comparing them with what the network shows: work that takes a while."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button, stamp
from threadcast.bot.chat.commands import About, Answer, Card, Context, Place, Request, button_only, command
from threadcast.bot.chat.views.message import Message, bold, esc, link, rows
from threadcast.bot.languages import N_, _, ngettext, translated
from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.bot.requests.context import waiting
from threadcast.bot.wording import bar, exactly, posts
from threadcast.queue.errors import Fault, NotAllowedError
from threadcast.queue.states import Event

DIFFERENCES = {
    "missing": N_("missing"),
    "edited": N_("edited"),
    "out-of-order": N_("out-of-order"),
    "extra": N_("extra"),
}


@command(
    "undo",
    who=Role.OWNER,
    guessed=False,
    about=About.THREAD,
    events=(Event.WITHDRAW,),
    takes=N_("ID [channel…]"),
    help=N_("Take a thread's posts down, newest first; asks first"),
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
    yes = button(_("Yes, take it down"), "undo-yes", request.threads, *sorted(names & meant_for), stamp=mark)
    no = button(_("No"), "card", request.threads)
    asked = ngettext(
        "Take {n} post of #{thread} {title} down for good, the newest first?",
        "Take {n} posts of #{thread} {title} down for good, the newest first?",
        out,
    ).format(n=out, thread=request.thread, title=bold(dossier.stored.thread.title))
    return Answer(Message(asked, rows((yes, no))))


@button_only("undo-yes", who=Role.OWNER)
def undo_yes(context: Context, request: Request) -> Answer:
    requests = context.requests(request.sender)
    names = request.words
    requests.changes.withdraw(request.thread, channels=names)

    async def work(here: Place) -> Card:
        seen: asyncio.Queue[Undoing | None] = asyncio.Queue()

        async def tell() -> None:
            """Say how far it is, until there is None: the newest is enough."""
            while (one := await seen.get()) is not None:
                while one is not None and not seen.empty():
                    one = seen.get_nowait()
                if one is None:
                    return
                await here.update(Message(_so_far(one, context)))

        teller = asyncio.create_task(tell())
        try:
            done = await requests.chains.undo(
                request.thread, channels=names, see=seen.put_nowait, pause=waiting(context.clock)
            )
        finally:  # never in the middle of a call, which Telegram may make after the one that says the end
            seen.put_nowait(None)
            await asyncio.gather(teller, return_exceptions=True)
        again = button(_("Go on"), "undo-yes", request.threads, *names)
        whole = all(one.gone == one.out for one in done)
        return Card(request.thread, "\n".join(_undone(done)), rows=() if whole else ((again,),))

    return Answer(
        Message(_("Taking #{thread} down …").format(thread=request.thread)),
        toast=_("#{thread} is being taken down.").format(thread=request.thread),
        work=work,
    )


def _so_far(one: Undoing, context: Context) -> str:
    name = f"🗑 #{one.delivery.thread_id} {bold(one.delivery.channel)}"
    far = _("{done}/{all} taken down").format(done=one.gone, all=one.out)
    line = f"{name} {bar(one.gone, one.out)} {far}"
    return line if one.until is None else f"{line}\n{_waits(one.until, context)}"


def _waits(until: datetime, context: Context) -> str:
    return _("The network asks to wait until {time}.").format(time=exactly(until, context.zone))


def _undone(done: Sequence[Undoing]) -> Iterable[str]:
    for one in done:
        where = {"thread": one.delivery.thread_id, "channel": bold(one.delivery.channel)}
        if one.gone == one.out:
            yield ngettext(
                "🗑 #{thread} on {channel} is gone: its one post.",
                "🗑 #{thread} on {channel} is gone: all {n} posts.",
                one.out,
            ).format(n=one.out, **where)
            continue
        yield _("⚠️ #{thread} on {channel}: gone are {n} of {posts}. What stays:").format(
            n=one.gone, posts=posts(one.out), **where
        )
        for left in sorted(one.left, key=lambda each: each.position):
            name = _("post {n}").format(n=left.position)
            there = f" {link(left.url, _('there'))}" if left.url else ""
            yield f"{name}{there}: {esc(translated(left.reason))}"


@command(
    "audit",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.WITHDRAW,),
    takes=N_("ID [channel…]"),
    help=N_("Compare a published thread with what the network shows"),
)
def audit(context: Context, request: Request) -> Answer:
    context.requests(request.sender).queries.show(request.thread)

    async def work(here: Place) -> Card:
        found = await _look(context, request, here, request.words)
        edited = any(each.kind == "edited" for one in found for each in one.differences)
        back = ((button(_("Edit back"), "edit-back", request.threads),),) if edited else ()
        return Card(request.thread, "\n".join(_audited(request.thread, found)), rows=back)

    return Answer(_looking(request), work=work)


@button_only("edit-back", who=Role.OWNER)
def edit_back(context: Context, request: Request) -> Answer:
    """Have what is public say and show again what is stored: it is looked at anew before."""
    requests = context.requests(request.sender)
    requests.queries.show(request.thread)

    async def work(here: Place) -> Card:
        found = await _look(context, request, here)
        if any(one.problem for one in found):
            return Card(request.thread, "\n".join(_audited(request.thread, found)))
        correction = await requests.chains.back(request.thread, found)
        if correction.is_empty:
            return Card(
                request.thread,
                _("#{thread} says that already: nothing was changed.").format(thread=request.thread),
            )
        corrected = await asyncio.to_thread(requests.chains.correct, correction)
        said = _("#{thread} is changed where it stands.").format(thread=request.thread)
        return Card(request.thread, said, changed=corrected)

    return Answer(_looking(request), work=work)


def _looking(request: Request) -> Message:
    return Message(_("Looking at #{thread} on its networks …").format(thread=request.thread))


async def _look(
    context: Context, request: Request, here: Place, channels: Sequence[str] = ()
) -> tuple[Audit, ...]:
    """Compare a thread with what its networks show, and say where they ask to wait."""

    async def pause(until: datetime) -> None:
        await here.update(Message(f"{_looking(request).text}\n{_waits(until, context)}"))
        await waiting(context.clock)(until)

    return await context.requests(request.sender).chains.audit(request.thread, channels=channels, pause=pause)


def _audited(thread: int, found: Sequence[Audit]) -> Iterable[str]:
    if not found:
        yield _("Nothing of #{thread} is out: /show {thread}").format(thread=thread)
    for one in found:
        where = {"thread": thread, "channel": bold(one.delivery.channel)}
        if one.problem:
            yield _("❔ #{thread} on {channel} could not be looked at: {reason}").format(
                reason=esc(translated(one.problem)), **where
            )
        elif not one.differences:
            yield ngettext(
                "✅ #{thread} on {channel} is as it was sent: its one post.",
                "✅ #{thread} on {channel} is as it was sent: all {n} posts, in order.",
                one.posts,
            ).format(n=one.posts, **where)
        else:
            yield _("⚠️ #{thread} on {channel} is not as it was sent:").format(**where)
        if one.unseen is not None:
            place = _("post {n}").format(n=one.unseen.position)
            yield f"👀 {place}: {esc(translated(one.unseen.detail))}"
        for difference in one.differences:
            kind, detail = _(DIFFERENCES[difference.kind]), esc(translated(difference.detail))
            at = difference.position
            post = "" if at is None else f" {_('post {n}').format(n=at)}"
            yield f"• {kind}{post}: {detail}"
