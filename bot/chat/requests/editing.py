"""Changing what a thread says: a part, the whole, more parts, a chain that was begun by hand."""

import asyncio
import zlib
from collections.abc import Awaitable
from dataclasses import replace
from typing import Final

from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import Press, button
from threadcast.bot.chat.commands import (
    About,
    Answer,
    Card,
    Context,
    Request,
    UsageError,
    button_only,
    command,
)
from threadcast.bot.chat.drafts import Source
from threadcast.bot.chat.requests.adding import PASTED, keep, take_kept
from threadcast.bot.chat.requests.takedown import edit_back
from threadcast.bot.chat.views import asking
from threadcast.bot.chat.views.message import Message, bold, code, esc, esc_lines, rows, sentence
from threadcast.bot.chat.views.previews import difference
from threadcast.bot.languages import N_, _, ngettext
from threadcast.bot.plain import capital
from threadcast.bot.requests.drafting.drafts import join
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.requests.input import Intake, continued, only_thread, understand
from threadcast.bot.requests.queries import Dossier
from threadcast.bot.wording import listed
from threadcast.queue.errors import NotFoundError
from threadcast.queue.states import BEGINNINGS, DeliveryState, Event
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Part, Placement, Thread, with_part, written

LONG: Final = 3000  # code points of a part that is shown whole, to be copied by a tap
ANYWAY: Final = "anyway"

# Which request a file is for that replies to a message of ours, by what that asked for.
TAKES_FILE: Final = {"wish": "edit", "part": "edit", "continue": "continue", "adopt": "adopt"}


@command(
    "edit",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.SCHEDULE,),
    takes=N_("ID"),
    help=N_("Change the text of a thread, and what of it is public"),
    more=N_(
        "Part by part; or reply to its card with the corrected file. What you pasted can be edited where it "
        "stands, too. What is public is changed where it stands, after a question.\n/edit 7\n"
        "/edit 7 back  what is public says again what is stored here"
    ),
)
def edit(context: Context, request: Request) -> Answer | Awaitable[Answer]:
    """Which part? Where a text is given, it takes the place of the thread's."""
    if [word.lower() for word in request.words] == ["back"]:
        return edit_back(context, request)
    dossier = context.requests(request.sender).queries.show(request.thread)
    if request.text:
        return edited(context, request.sender, dossier, request.text)
    require_whole(dossier)
    thread = dossier.stored.thread
    more = asking.next_parts(thread, "edit", request.threads, page=request.page)
    said = _("#{thread} {title}\nWhich part? Or send the corrected file as a reply to this message.")
    return Answer(
        Message(
            said.format(thread=request.thread, title=bold(thread.title)),
            rows(
                *asking.which_part(thread, "part", request.threads, page=request.page),
                (more,),
                (
                    button(_("As a file"), "export", request.threads),
                    button(_("◀ Back"), "card", request.threads),
                ),
            ),
        ),
        asked=Press("wish", request.threads),
    )


@button_only("part", who=Role.OWNER)
def part(context: Context, request: Request) -> Answer | Awaitable[Answer]:
    """The new text of a part: asked for, or replied."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    require_whole(dossier)
    thread = dossier.stored.thread
    place = place_of(thread, "".join(request.words[:1]))
    now = written(thread.parts[place - 1], thread.placement)
    check = f"{zlib.crc32(now.encode()):08x}"
    if not request.text:
        return _ask_part(request, place, now, check)
    if request.words[1] != check:
        return _ask_part(request, place, now, check, changed=True)
    whole = render(with_part(thread, place, _reworded(thread, place, request.text)))
    return edited(context, request.sender, dossier, whole)


def place_of(thread: Thread, word: str) -> int:
    """Return the place that a button or a question names. Raises UsageError."""
    if not (word.isascii() and word.isdigit() and 0 < int(word[:9]) <= len(thread.parts)):
        raise UsageError(_("there is no such part any more"))
    return int(word)


def _ask_part(request: Request, place: int, now: str, check: str, *, changed: bool = False) -> Answer:
    head = _("#{thread}, part {place}: reply with its new text. Now it is:")
    if changed:
        head = _("#{thread}, part {place} was changed meanwhile: reply with its new text again. Now it is:")
    shown = f"<pre>{esc_lines(now)}</pre>" if len(now) <= LONG else esc_lines(now)
    return Answer(
        Message(f"{head.format(thread=request.thread, place=place)}\n{shown}", asks=_("The new text")),
        afresh=True,
        asked=Press("part", request.threads, (str(place), check)),
    )


def _reworded(thread: Thread, place: int, text: str) -> Part:
    """A part with another text; its number may be written or not."""
    one, new = thread.parts[place - 1], text.strip()
    if one.marker and thread.placement is Placement.PREFIX:
        new = new.removeprefix(one.marker).lstrip()
    elif one.marker:
        new = new.removesuffix(one.marker).rstrip()
    return replace(one, text=new, joint=one.joint or (one.marker and " "))


def edited(context: Context, sender: Sender, dossier: Dossier, text: str) -> Answer | Awaitable[Answer]:
    """Give a thread another text; the answer is its card with what was changed, or the question about it."""
    number, before = dossier.stored.id, dossier.stored.thread
    after = only_thread(understand(_("the new text"), text.encode()))
    if render(after) == render(before):
        return _unchanged(number)
    require_whole(dossier)
    if dossier.is_out:
        return _ask_correction(context, sender, number, text)
    context.requests(sender).threads.edit(number, text)
    lines = difference(before, after)
    return Answer(Card(number, "\n".join([_("#{thread} is changed:").format(thread=number), *lines])))


def _unchanged(number: int) -> Answer:
    return Answer(Card(number, _("#{thread} says that already: nothing was changed.").format(thread=number)))


async def _ask_correction(context: Context, sender: Sender, number: int, text: str) -> Answer:
    """What is public is changed only after a question, and only where every channel can do it."""
    correction = await context.requests(sender).chains.correction(number, text)
    if correction.is_empty:
        return _unchanged(number)
    said = _("#{thread} is public on {channels}. Change it there, where it stands?")
    key = await asyncio.to_thread(keep, context, sender, "", text, "")
    yes = button(_("Yes, change it"), "edit-yes", (number,), key)
    out = esc(listed(list(correction.channels)))
    lines = [
        said.format(thread=number, channels=out),
        *difference(correction.before, correction.after),
    ]
    return Answer(Message("\n".join(lines), rows((yes, button(_("No"), "card", (number,))))))


@button_only("edit-yes", who=Role.OWNER)
async def edit_yes(context: Context, request: Request) -> Answer:
    """Have what is public changed: every post is composed and checked on every channel once more."""
    _source, text, _rest = await take_kept(context, request.sender, " ".join(request.words))
    chains = context.requests(request.sender).chains
    correction = await chains.correction(request.thread, text)
    corrected = await asyncio.to_thread(chains.correct, correction)
    headline = _("#{thread} is changed where it stands.").format(thread=request.thread)
    return Answer(Card(request.thread, headline, changed=corrected), toast=headline)


def require_whole(dossier: Dossier) -> None:
    """Raise UsageError where a thread neither waits nor is public as a whole."""
    if not dossier.is_out:
        require_waiting(dossier)


def require_waiting(dossier: Dossier) -> None:
    """Raise UsageError where something of a thread is public, or it waits no more."""
    states = {chain.delivery.state for chain in dossier.chains}
    out = any(
        chain.delivery.sent or chain.delivery.state is DeliveryState.PUBLISHING for chain in dossier.chains
    )
    if out:
        raise UsageError(
            _("#{thread} is public already, so its text stays as it is.").format(thread=dossier.stored.id)
        )
    if not states & set(BEGINNINGS):
        raise UsageError(
            _("#{thread} does not wait any more, so nothing was changed.").format(thread=dossier.stored.id)
        )


async def rewritten(context: Context, sender: Sender, message: int, text: str) -> Answer | None:
    """Change the thread that a message was pasted for, which was edited; None where there is none.

    Raises what `router.ERRORS` has.
    """
    source = await asyncio.to_thread(context.sources.of, sender.chat, message)
    if source is None or source.messages[message] == text:
        return None
    answer: Answer | None = None
    for dossier, new in await asyncio.to_thread(_rewrites, context, sender, source, message, text):
        came = await asyncio.to_thread(edited, context, sender, dossier, new)
        answer = came if isinstance(came, Answer) else await came
    await asyncio.to_thread(context.sources.put, sender.chat, source, message, text)
    return answer


def _rewrites(
    context: Context, sender: Sender, source: Source, message: int, text: str
) -> list[tuple[Dossier, str]]:
    """The threads that say something else now, and what. Raises UsageError where one may not be changed."""
    messages = {**source.messages, message: text}
    found = understand(PASTED, join(list(messages.values())).encode()).threads
    if len(found) != len(source.threads):
        raise UsageError(
            _(
                "What you edited does not give as many threads as before, so nothing was changed. Edit it "
                "once more, or press Edit below the card of a thread."
            )
        )
    changed: list[tuple[Dossier, str]] = []
    requests = context.requests(sender)
    for number, thread in zip(source.threads, found, strict=True):
        try:
            dossier = requests.queries.show(number)
        except NotFoundError:  # it was removed, or was never new
            continue
        if render(thread) == render(dossier.stored.thread):
            continue
        require_whole(dossier)
        if sender.role is not Role.OWNER and not _all_held(dossier):
            raise UsageError(_("an owner has let it go already: ask them to change it"))
        changed.append((dossier, render(thread)))
    return changed


def _all_held(dossier: Dossier) -> bool:
    return all(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)


@command(
    "continue",
    who=Role.OWNER,
    guessed=False,
    about=About.THREAD,
    takes=N_("ID"),
    help=N_("Add parts to a thread; what is public goes on from its last post"),
    more=N_("It takes what you have pasted, or asks for the parts.\n/continue 7"),
)
def continue_(context: Context, request: Request) -> Answer:
    """More parts: of what was pasted, or of a reply. What would be public at once is asked."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    text = request.text or _draft_of(context, request.sender)
    if not text:
        said = _("Reply with the parts that go on behind part {n} of #{thread}, as a text or a file.")
        asked = Press("continue", request.threads)
        shown = said.format(n=len(dossier.stored.thread.parts), thread=request.thread)
        return Answer(Message(shown, asks=_("The next parts")), afresh=True, asked=asked)
    intake = understand(_("what you sent"), text.encode())
    longer = continued(dossier.stored.thread, intake)
    out = [one.delivery.channel for one in dossier.chains if one.delivery.state is DeliveryState.PUBLISHED]
    if out and context.confirm:
        key = keep(context, request.sender, intake.source, text, "")
        n = len(longer.parts) - len(dossier.stored.thread.parts)
        said = ngettext(
            "Add {n} part to #{thread}? It is public on {channels}, and goes on there at once:",
            "Add {n} parts to #{thread}? It is public on {channels}, and goes on there at once:",
            n,
        ).format(n=n, thread=request.thread, channels=esc(listed(out)))
        yes = button(_("Yes, go on"), "continue-yes", request.threads, key)
        lines = [said, *difference(dossier.stored.thread, longer)]
        return Answer(Message("\n".join(lines), rows((yes, button(_("No"), "card", request.threads)))))
    return _extended(context, request, dossier, intake)


@button_only("continue-yes", who=Role.OWNER)
async def continue_yes(context: Context, request: Request) -> Answer:
    source, text, _rest = await take_kept(context, request.sender, " ".join(request.words))
    dossier = await asyncio.to_thread(context.requests(request.sender).queries.show, request.thread)
    intake = await asyncio.to_thread(understand, source, text.encode())
    return await asyncio.to_thread(_extended, context, request, dossier, intake)


def _extended(context: Context, request: Request, dossier: Dossier, intake: Intake) -> Answer:
    requests = context.requests(request.sender)
    extended = requests.threads.extend(request.thread, intake)
    after = requests.queries.show(request.thread).stored.thread
    if not request.text:
        context.drafts.drop(request.sender)
    lines = [_("#{thread} is longer now:").format(thread=request.thread)]
    lines += difference(dossier.stored.thread, after)
    return Answer(Card(request.thread, "\n".join(lines), changed=extended))


@command(
    "adopt",
    who=Role.OWNER,
    guessed=False,
    takes=N_("CHANNEL PARTS LINK"),
    help=N_("Take over a chain that was begun by hand"),
    more=N_(
        "PARTS is how many of its parts are out, LINK the post of the last of these. It takes the whole "
        "thread from what you have pasted, or asks for it.\n/adopt news 12 https://t.me/my_channel/113"
    ),
)
async def adopt(context: Context, request: Request) -> Answer:
    """Take over a chain: its text is what was pasted, or a reply."""
    match request.words[:4]:
        case [channel, parts, link, *rest] if (
            parts.isascii() and parts.isdigit() and len(parts) < len("12345")
        ):
            anyway = rest[:1] == [ANYWAY]
        case _:
            raise UsageError(
                _("write /adopt news 12 LINK: the channel, how many parts are out, the last post")
            )
    text = request.text or await asyncio.to_thread(_draft_of, context, request.sender)
    if not text:
        asked = Press("adopt", (), (channel, parts, link, *([ANYWAY] if anyway else [])))
        said = _("Reply with the whole thread, with the parts that are out too, as a text or a file.")
        return Answer(Message(said, asks=_("The whole thread")), asked=asked)
    intake = await asyncio.to_thread(understand, _("what you sent"), text.encode())
    try:
        receipt = await context.requests(request.sender).chains.adopt(
            intake, channel=channel, parts=int(parts), address=link, force=anyway, confirm=context.confirm
        )
    except RefusedError as error:
        if error.problem is not Problem.NOT_THE_POST:
            raise
        again = f"/adopt {channel} {parts} {link} {ANYWAY}"
        said = _("{doubt}\nIf it is that one all the same: {command}")
        doubt = esc(capital(sentence(error)))
        return Answer(Message(said.format(doubt=doubt, command=code(again))))
    if not request.text:
        await asyncio.to_thread(context.drafts.drop, request.sender)
    thread = receipt.added.thread_id
    if thread is None:
        known = receipt.added.duplicates[0].existing.thread_id
        return Answer(Card(known, _("It is here already, as #{thread}.").format(thread=known)))
    headline = _("#{thread} goes on behind part {n} on {channel}.")
    return Answer(Card(thread, headline.format(thread=thread, n=parts, channel=esc(channel))))


def _draft_of(context: Context, sender: Sender) -> str:
    draft = context.drafts.of(sender)
    return draft.text if draft is not None and draft.pieces else ""
