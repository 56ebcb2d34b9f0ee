"""A file sent in reply to a card: it belongs to a part of that thread, which is asked where nobody said."""

import asyncio
import re
from dataclasses import replace

from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.commands import (
    Answer,
    Card,
    Context,
    NotYoursError,
    Request,
    button_only,
)
from threadcast.bot.chat.downloads import Sent, kept
from threadcast.bot.chat.requests.adding import keep, take_kept
from threadcast.bot.chat.requests.editing import place_of, require_waiting
from threadcast.bot.chat.views import asking
from threadcast.bot.chat.views.message import Message, bold, esc, rows
from threadcast.bot.languages import _
from threadcast.queue.text.media import Media, take_out
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Thread, with_part

_NUMBER = re.compile(
    r"(?P<number>[0-9]{1,6})\s*(?:/[0-9]*|\.|\))?(?:\s+|$)"
)  # of a part, before what can be seen


async def sent_to(context: Context, sender: Sender, thread_id: int, file: Sent, caption: str) -> Answer:
    """Attach a file to a part: the one that the caption begins with, or the only one; else ask which.

    The rest of the caption is what can be seen. Raises what `requests.ERRORS` has.
    """
    if sender.role is not Role.OWNER:
        raise NotYoursError
    dossier = await asyncio.to_thread(context.requests(sender).queries.show, thread_id)
    require_waiting(dossier)
    thread = dossier.stored.thread
    line = await kept(context, sender, file)
    number = _NUMBER.match(caption)
    place = _place_of(thread, int(number["number"])) if number else None
    if number and place is not None:
        caption = caption[number.end() :]
    elif len(thread.parts) == 1:
        place = 1
    if place is not None:
        return await asyncio.to_thread(_attached, context, sender, thread_id, place, line, caption)
    key = await asyncio.to_thread(keep, context, sender, file.name, line, caption)
    return _which(thread_id, thread, file.name, key)


def _place_of(thread: Thread, number: int) -> int | None:
    """The place of the part with a number; where no part has numbers, that is its place."""
    numbered = {part.number: place for place, part in enumerate(thread.parts, 1) if part.number is not None}
    places = numbered or {place: place for place in range(1, len(thread.parts) + 1)}
    return places.get(number)


def _which(thread_id: int, thread: Thread, name: str, key: str, page: int = 0) -> Answer:
    said = _("#{thread} {title}\nWhich part shall show {file}? Nothing is changed until you say.")
    return Answer(
        Message(
            said.format(thread=thread_id, title=bold(thread.title), file=esc(name)),
            rows(
                *asking.which_part(thread, "attach", (thread_id,), key, page=page),
                (asking.next_parts(thread, "attach", (thread_id,), key, page=page),),
            ),
        )
    )


@button_only("attach", who=Role.OWNER)
async def attach(context: Context, request: Request) -> Answer:
    """The words are where the file was noted, and the place of a part; without it, more parts are shown."""
    dossier = await asyncio.to_thread(context.requests(request.sender).queries.show, request.thread)
    require_waiting(dossier)
    key, *places = request.words or ("",)
    if not places:
        return _which(request.thread, dossier.stored.thread, _("the file"), key, request.page)
    place = place_of(dossier.stored.thread, places[0])
    _name, line, caption = await take_kept(context, request.sender, key)
    return await asyncio.to_thread(_attached, context, request.sender, request.thread, place, line, caption)


def _attached(
    context: Context, sender: Sender, thread_id: int, place: int, line: str, caption: str
) -> Answer:
    """Show a file in a part, behind those that are there."""
    requests = context.requests(sender)
    thread = requests.queries.show(thread_id).stored.thread
    _text, (media,) = take_out(line, 1)
    media = Media(" ".join(caption.split()), media.source, 0)
    one = thread.parts[place - 1]
    shows = replace(one, media=(*one.media, media))
    requests.threads.edit(thread_id, render(with_part(thread, place, shows)))
    said = _("Part {n} shows {file} now.").format(n=place, file=esc(media.name))
    return Answer(Card(thread_id, said))
