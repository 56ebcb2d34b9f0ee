"""Telegram's HTML: markup in, plain text and its entities out, errors in Telegram's words.

Offsets of entities count UTF-16 units, those in errors count bytes, as on Telegram. Stricter in one thing:
an attribute's value stands in quotes. https://core.telegram.org/bots/api#html-style,
https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp (parse_html)
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.servers.telegram.links import checked_link

KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#x(?P<hex>[0-9a-fA-F]{1,6})|#(?P<number>[0-9]{1,7})|(?P<name>[a-zA-Z]+));?")
TAG = re.compile(r"<(?P<end>/?)(?P<tag>[^\s>]*)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
HREF = re.compile(r"\s+href=(?P<quote>[\"'])(?P<link>.*)(?P=quote)\s*", re.DOTALL)
USER_LINK = re.compile(r"tg://user\?id=(\d+)", re.IGNORECASE)


class MarkupError(ValueError):
    """What Telegram says of markup that it cannot parse."""


def units(text: str) -> int:
    """Return how many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass
class _Open:
    tag: str
    link: str
    offset: int
    begin: int  # in the plain text


def parse_html(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text, and the entities in the order in which their tags end. Raises MarkupError."""
    text, at = "", 0
    opened: list[_Open] = []
    entities: list[dict[str, Any]] = []
    while at < len(markup):
        here = f"at byte offset {len(markup[:at].encode())}"
        if markup[at] != "<":
            end = markup.find("<", at)
            piece = markup[at : end if end >= 0 else len(markup)]
            text += unescape(piece)
            at += len(piece)
            continue
        found = TAG.match(markup, at)
        if found is None:
            raise MarkupError(f"Unclosed {'end' if markup.startswith('</', at) else 'start'} tag {here}")
        at = found.end()
        tag = found["tag"].lower()
        if not found["end"]:
            opened.append(_Open(tag, _link(tag, found["rest"], here), units(text), len(text)))
        elif not opened:
            raise MarkupError(f"Unexpected end tag {here}")
        elif tag not in {"", opened[-1].tag}:
            raise MarkupError(f'Unmatched end tag {here}, expected "</{opened[-1].tag}>", found "</{tag}>"')
        else:
            entities += _entity(opened.pop(), text)
    if opened:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return text, entities


def unescape(text: str) -> str:
    """Return a text with the characters for its references. Raises MarkupError for half a character."""

    def char(found: re.Match[str]) -> str:
        if found["name"]:
            return NAMED.get(found["name"], found[0])
        code = int(found["hex"], 16) if found["hex"] else int(found["number"])
        return chr(code) if 0 < code < 0x10FFFF else found[0]

    shown = REFERENCE.sub(char, text)
    if any("\ud800" <= one <= "\udfff" for one in shown):
        raise MarkupError("Text contains invalid Unicode characters after decoding HTML entities")
    return shown


def _link(tag: str, rest: str, here: str) -> str:
    """Return where a start tag leads, empty where it does not. Raises MarkupError."""
    if tag not in KINDS:
        raise MarkupError(f'Unsupported start tag "{tag}" {here}')
    href = HREF.fullmatch(rest)
    if rest.strip() and (tag != "a" or href is None):
        raise MarkupError(f'Unexpected attribute in the tag "{tag}" {here}')
    return unescape(href["link"]) if href else ""


def _entity(ended: _Open, text: str) -> list[dict[str, Any]]:
    length = units(text) - ended.offset
    if not length:
        return []
    entity: dict[str, Any] = {"type": KINDS[ended.tag], "offset": ended.offset, "length": length}
    if ended.tag != "a":
        return [entity]
    link = ended.link or text[ended.begin :]
    person = USER_LINK.fullmatch(link)
    if person is not None:
        user = {"id": int(person[1]), "is_bot": False, "first_name": ""}
        return [{**entity, "type": "text_mention", "user": user}]
    try:
        return [{**entity, "url": checked_link(link)}]
    except ValueError:  # the text stays, without a link
        return []
