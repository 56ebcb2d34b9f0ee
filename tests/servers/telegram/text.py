"""A message's text as Telegram stores it: markup parsed, cleaned, its entities found and put in order.

https://core.telegram.org/bots/api#formatting-options,
https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp (fix_formatted_text, find_entities)
"""

import re
from dataclasses import dataclass, field

from tests.servers.telegram.chats import BLANKED, REMOVED, TRIMMED, ApiError, Json, clean
from tests.servers.telegram.html import MarkupError, parse_html, units
from tests.servers.telegram.parameters import Parameters

TEXT_LIMIT = 4096  # code points, after parsing
CAPTION_LIMIT = 1024
ENTITY_LIMIT = 100  # what is more is dropped
STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler")
VERBATIM = ("code", "pre")
ORDER = ("blockquote", "expandable_blockquote", *VERBATIM, "text_link", "text_mention", *STYLES)
FOUND = {
    "bot_command": re.compile(r"(?<![\w/<>])/\w{1,64}(?:@\w{3,32})?(?![\w/<>])", re.ASCII),
    "mention": re.compile(r"(?<![\w@])@\w{3,32}(?!\w)", re.ASCII),
    "hashtag": re.compile(r"(?<![\w#])#(?=\w*[^\W\d_])\w{1,256}(?![\w#])"),
    "url": re.compile(r"https?://[^\s<>\"]*[^\s<>\".,:;!?')\]]", re.IGNORECASE),
}


@dataclass(frozen=True)
class Formatted:
    """A plain text and its entities, offsets in UTF-16 units."""

    text: str = ""
    entities: list[Json] = field(default_factory=list)


def message_text(given: Parameters) -> Formatted:
    """The text to store. Raises ApiError where it is empty, too long or cannot be parsed."""
    if not given.text("text"):
        raise ApiError(400, "Bad Request: message text is empty")
    formatted = _read(given, "text")
    if not formatted.text:
        raise ApiError(400, "Bad Request: text must be non-empty")
    if len(formatted.text) > TEXT_LIMIT:
        raise ApiError(400, "Bad Request: message is too long")
    return formatted


def caption(given: Parameters) -> Formatted:
    """The caption to store, which may be empty."""
    formatted = _read(given, "caption")
    if len(formatted.text) > CAPTION_LIMIT:
        raise ApiError(400, "Bad Request: message caption is too long")
    return formatted


LINKED = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()]+)\)")


def written(text: str) -> Formatted:
    """What comes of what a person writes: the entities are those that Telegram finds, and linked words.

    Telegram's clients take `[words](https://…)` for these.
    """
    shown, entities, end = "", list[Json](), 0
    for link in LINKED.finditer(text):
        shown += text[end : link.start()]
        place = {"type": "text_link", "offset": units(shown), "length": units(link[1])}
        entities.append(place | {"url": link[2]})
        shown, end = shown + link[1], link.end()
    return tidy(shown + text[end:], entities)


def _read(given: Parameters, name: str) -> Formatted:
    text, mode = given.text(name), given.text("parse_mode").lower()
    if not mode:
        field = "entities" if name == "text" else "caption_entities"
        return tidy(text, _marked(text, given.value(field) or []))
    if mode != "html":
        raise ApiError(400, "Bad Request: unsupported parse_mode")
    try:
        return tidy(*parse_html(text))
    except MarkupError as error:
        raise ApiError(400, f"Bad Request: can't parse entities: {error}") from None


def _marked(text: str, entities: list[Json]) -> list[Json]:
    """The entities that a bot gives beside a text. Stricter than Telegram, which clips what lies outside."""
    wide = text.encode("utf-16-le")
    for entity in entities:
        begin, end = entity["offset"], _end(entity)
        inside = all(isinstance(place, int) and 0 <= place <= len(wide) // 2 for place in (begin, end))
        if (
            not inside
            or begin >= end
            or any(
                0xDC <= wide[2 * at + 1 : 2 * at + 2][0] <= 0xDF for at in (begin, end) if 2 * at < len(wide)
            )
        ):
            raise ApiError(400, "Bad Request: entity begins in a middle of a UTF-16 symbol")
        if entity["type"] not in {*STYLES, *VERBATIM}:
            raise ApiError(400, f"Bad Request: unsupported entity type {entity['type']}")
    return entities


def tidy(text: str, entities: list[Json]) -> Formatted:
    """Clean a text as `clean` does, move the entities with it, and add those that Telegram finds."""
    if not entities:
        cleaned = clean(text)
        return Formatted(cleaned, _in_order(_found(cleaned, []))[:ENTITY_LIMIT])
    moved: list[int] = []  # the new offset, by the old one
    kept, offset = "", 0
    for char in text:
        shown = BLANKED.sub(" ", REMOVED.sub("", char))
        moved += [offset] * units(char)
        kept, offset = kept + shown, offset + units(shown)
    moved.append(offset)
    stripped = kept.strip(TRIMMED)
    before, length = units(kept[: len(kept) - len(kept.lstrip(TRIMMED))]), units(stripped)
    placed: list[Json] = []
    for entity in entities:
        begin = min(max(moved[entity["offset"]] - before, 0), length)
        end = min(max(moved[entity["offset"] + entity["length"]] - before, 0), length)
        if end > begin:
            placed.append({**entity, "offset": begin, "length": end - begin})
    return Formatted(stripped, _in_order([*placed, *_found(stripped, placed)])[:ENTITY_LIMIT])


def _end(entity: Json) -> int:
    return int(entity["offset"] + entity["length"])


def _in_order(entities: list[Json]) -> list[Json]:
    return sorted(entities, key=lambda e: (e["offset"], -e["length"], _rank(e["type"])))


def _rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def _found(text: str, entities: list[Json]) -> list[Json]:
    """Commands, mentions, hashtags and addresses that stand in a text, outside of code and links."""
    taken = [
        (e["offset"], _end(e)) for e in entities if e["type"] in {*VERBATIM, "text_link", "text_mention"}
    ]
    found: list[Json] = []
    for kind in reversed(FOUND):  # what is in an address is part of it
        for match in FOUND[kind].finditer(text):
            begin = units(text[: match.start()])
            end = begin + units(match[0])
            if all(end <= first or begin >= last for first, last in taken):
                taken.append((begin, end))
                found.append({"type": kind, "offset": begin, "length": end - begin})
    return found


def part(text: str, entity: Json) -> str:
    """The characters of an entity."""
    wide = text.encode("utf-16-le")
    return wide[2 * entity["offset"] : 2 * _end(entity)].decode("utf-16-le")
