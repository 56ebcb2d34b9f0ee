"""What can be seen in a file, for those who cannot see it: asked for, and replied."""

from collections.abc import Awaitable
from dataclasses import replace

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press
from threadcast.bot.chat.commands import Answer, Card, Context, Request, UsageError, button_only
from threadcast.bot.chat.requests.editing import edited, require_whole
from threadcast.bot.chat.views.message import Message, bold, esc
from threadcast.bot.languages import _
from threadcast.bot.media.store import SHORT
from threadcast.bot.media.words import shown
from threadcast.queue.text.media import Media
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Thread, with_part


@button_only("describe", who=Role.OWNER)
def describe(context: Context, request: Request) -> Answer | Awaitable[Answer]:
    """The words are a part and the place of a file in it; with a reply, also which file was meant."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    require_whole(dossier)
    thread = dossier.stored.thread
    part, place, media = _found(thread, request.words)
    name, known = esc(media.name), _known(media)
    if not request.text:
        said = _("{thread} · {file}, in part {part}\nWhat can be seen in it? Reply with a sentence or two.")
        shown_as = said.format(
            thread=f"#{request.thread} {bold(thread.title)}", file=esc(shown(media)), part=part
        )
        asked = Press("describe", request.threads, (str(part), str(place), known))
        return Answer(Message(shown_as, asks=_("What can be seen")), afresh=True, asked=asked)
    if request.words[2:3] != (known,):
        raise UsageError(_("the text was changed meanwhile: press the button of its card again"))
    described = _described(thread, part, place, " ".join(request.text.split()))
    came = edited(context, request.sender, dossier, render(described))
    if not isinstance(came, Answer):
        return came
    return Answer(Card(request.thread, _("{file} has its description.").format(file=name)))


def _found(thread: Thread, words: tuple[str, ...]) -> tuple[int, int, Media]:
    """The part, the place in it and the file that the words name. Raises UsageError."""
    numbers = [int(word[:9]) for word in words[:2] if word.isascii() and word.isdigit()]
    match numbers:
        case [part, place] if 0 < part <= len(thread.parts) and 0 < place <= len(
            thread.parts[part - 1].media
        ):
            return part, place, thread.parts[part - 1].media[place - 1]
    raise UsageError(_("there is no such file any more"))


def _known(media: Media) -> str:
    """What tells a file from another that has its place by now."""
    return media.file.digest[:SHORT] if media.file else "-"


def _described(thread: Thread, part: int, place: int, description: str) -> Thread:
    """The thread with what can be seen in a file."""
    one = thread.parts[part - 1]
    described = replace(one.media[place - 1], description=description)
    media = (*one.media[: place - 1], described, *one.media[place:])
    return with_part(thread, part, replace(one, media=media))
