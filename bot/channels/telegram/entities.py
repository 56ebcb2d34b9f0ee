"""What Telegram says beside a text of places in it: linked words that come in, spoilers that go out. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import telegram
from telegram.constants import MessageEntityType

from threadcast.bot.channels.port import Outgoing
from threadcast.queue.compose.rules import head_of

_SCHEME = re.compile(r"^[a-z]+://", re.IGNORECASE)


class Pasted(NamedTuple):
    """A text as it is taken over; `links` is how many addresses were written into it."""

    text: str
    links: int = 0


def pasted(message: telegram.Message) -> Pasted:
    """Return the text of a message, or its caption, each linked word with its address: `word (https://…)`.

    Where the words are the address, nothing is added.
    """
    text = message.text or message.caption or ""
    found = list(_links(text, message.entities or message.caption_entities))
    for end, address in reversed(found):
        text = f"{text[:end]} ({address}){text[end:]}"
    return Pasted(text, len(found))


def _links(text: str, entities: Sequence[telegram.MessageEntity]) -> Iterator[tuple[int, str]]:
    """Yield where linked words end, in order, and their address; words linked in pieces have theirs once."""
    # Telegram counts UTF-16 units: https://core.telegram.org/bots/api#messageentity
    units = accumulate((1 + (sign > "\uffff") for sign in text), initial=0)
    place = {unit: index for index, unit in enumerate(units)}
    found: list[tuple[int, int, str]] = []
    for one in sorted(entities, key=lambda each: (each.offset, each.length)):
        start, end = place.get(one.offset), place.get(one.offset + one.length)
        address = "".join((one.url or "").split())
        if one.type != MessageEntityType.TEXT_LINK or not address or start is None or end is None:
            continue
        last = found[-1] if found else (0, 0, "")
        if start >= end or start < last[1]:
            continue
        if last[1:] == (start, address):
            start = found.pop()[0]
        found.append((start, end, address))
    for start, end, address in found:
        words = text[start:end].rstrip()
        if _bare(words) != _bare(address):
            yield start + len(words), address


def _bare(address: str) -> str:
    return _SCHEME.sub("", address.strip()).rstrip("/").casefold()


def spoilers(outgoing: Outgoing) -> list[telegram.MessageEntity] | None:
    """Return what hides the text below the warning until a reader touches it; None where there is none.

    Telegram trims a text, and counts UTF-16 units: https://core.telegram.org/bots/api#messageentity
    """
    head, text = head_of(outgoing.settings), outgoing.text.rstrip()
    if not head or not text.startswith(head) or len(text) == len(head):
        return None
    return [telegram.MessageEntity(MessageEntityType.SPOILER, _units(head), _units(text[len(head) :]))]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
