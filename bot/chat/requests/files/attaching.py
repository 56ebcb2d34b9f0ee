"""A file sent in reply to a card: it belongs to a part of that thread, which is asked where nobody said.

In a part that is public it takes the place of another.
"""

import asyncio
import re
from dataclasses import replace

from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import (
    Answer,
    Card,
    Context,
    NotYoursError,
    Request,
    UsageError,
    button_only,
)
from threadcast.bot.chat.downloads import Sent, kept
from threadcast.bot.chat.requests.adding import keep, take_kept
from threadcast.bot.chat.requests.editing import edited, place_of, require_whole
from threadcast.bot.chat.views import asking
from threadcast.bot.chat.views.message import Message, bold, esc, rows
from threadcast.bot.languages import _
from threadcast.bot.requests.queries import Dossier
from threadcast.queue.text.media import Media, take_out
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Part, Thread, with_part

MORE = "more"  # in place of none

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
    require_whole(dossier)
    thread = dossier.stored.thread
    line = await kept(context, sender, file)
    number = _NUMBER.match(caption)
    place = _place_of(thread, int(number["number"])) if number else None
    if number and place is not None:
        caption = caption[number.end() :]
    elif len(thread.parts) == 1:
        place = 1
    if place is not None:
        return await _attached(context, sender, dossier, place, line, caption)
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
    """The words are where the file was noted, the place of a part, and of the file whose place it takes.

    Without a place, more parts are shown.
    """
    dossier = await asyncio.to_thread(context.requests(request.sender).queries.show, request.thread)
    require_whole(dossier)
    key, *places = request.words or ("",)
    if not places:
        return _which(request.thread, dossier.stored.thread, _("the file"), key, request.page)
    place = place_of(dossier.stored.thread, places[0])
    _name, line, caption = await take_kept(context, request.sender, key)
    return await _attached(context, request.sender, dossier, place, line, caption, "".join(places[1:]))


async def _attached(
    context: Context, sender: Sender, dossier: Dossier, place: int, line: str, caption: str, instead: str = ""
) -> Answer:
    """Show a file in a part, behind those that are there.

    In one that is public it takes the place of one: the only one, or the one `instead` of which it is shown.
    """
    thread_id, thread = dossier.stored.id, dossier.stored.thread
    one = thread.parts[place - 1]
    _text, (file,) = take_out(line, 1)
    media = Media(" ".join(caption.split()), file.source, 0)
    shows = (*one.media, media)
    if dossier.is_out and one.media and instead != MORE:
        if len(one.media) > 1 and not instead:
            key = await asyncio.to_thread(keep, context, sender, media.name, line, caption)
            return _which_file(dossier, place, media.name, key)
        number = place_of_file(one, instead or "1")
        known = one.media[number - 1]
        new = replace(media, description=media.description or known.description)
        shows = (*one.media[: number - 1], new, *one.media[number:])
    text = render(with_part(thread, place, replace(one, media=shows)))
    came = await asyncio.to_thread(edited, context, sender, dossier, text)
    if not isinstance(came, Answer):
        return await came
    said = _("Part {n} shows {file} now.").format(n=place, file=esc(media.name))
    return Answer(Card(thread_id, said))


def _which_file(dossier: Dossier, place: int, name: str, key: str) -> Answer:
    """The question in place of which file another one shall be shown, in a part that is public."""
    number, thread = dossier.stored.id, dossier.stored.thread
    said = _("#{thread} {title}\nPart {n} shows several files. In place of which shall it show {file}?")
    shown = thread.parts[place - 1].media
    text = said.format(thread=number, title=bold(thread.title), n=place, file=esc(name))
    every = [
        (button(f"{file}. {one.name[:40]}", "attach", (number,), key, str(place), str(file)),)
        for file, one in enumerate(shown, 1)
    ]
    more = button(_("As one more"), "attach", (number,), key, str(place), MORE)
    return Answer(Message(text, rows(*every, (more, button(_("◀ Back"), "card", (number,))))))


def place_of_file(part: Part, word: str) -> int:
    """Return the place of a file that a button names. Raises UsageError."""
    if not (word.isascii() and word.isdigit() and 0 < int(word[:9]) <= len(part.media)):
        raise UsageError(_("there is no such file any more"))
    return int(word)
