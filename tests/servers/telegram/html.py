"""Telegram's HTML: markup in, plain text and its entities out, errors in Telegram's words.

Offsets of entities count UTF-16 units, those in errors count bytes, as on Telegram.
https://core.telegram.org/bots/api#html-style,
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
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
REFERENCE = re.compile(rb"&(?:#x(?P<hex>[0-9a-fA-F]*)|#(?P<number>[0-9]*)|(?P<name>[a-zA-Z]*))")
LONGEST_REFERENCE = 10  # bytes
END = 0  # stands after the last byte
SPACES = rb" \t\r\n\x0b\x00"
PLAIN = re.compile(rb"[^&<]+")
TAG_NAME = re.compile(rb"[^>" + SPACES + rb"]*")
ATTRIBUTE_NAME = re.compile(rb"[^>=" + SPACES + rb"]*")
BLANKS = re.compile(rb"[ \t\r\n\x0b]*")
NAME_TOKEN = re.compile(rb"[0-9A-Za-z.-]*")
USER_LINK = re.compile(r"tg://user\?id=(\d+)", re.IGNORECASE)


class MarkupError(ValueError):
    """What Telegram says of markup that it cannot parse."""


def units(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int
    begin: int  # in the plain text


def parse_html(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and the entities in the order in which their tags end. Raises MarkupError."""
    return _Parser(markup).parse()


class _Parser:
    def __init__(self, markup: str) -> None:
        self._bytes = markup.encode() + bytes([END])
        self._at = 0
        self._text = ""
        self._offset = 0
        self._open: list[_Open] = []
        self._entities: list[dict[str, Any]] = []

    def parse(self) -> tuple[str, list[dict[str, Any]]]:
        while self._at < len(self._bytes) - 1:
            match self._bytes[self._at : self._at + 1]:
                case b"<":
                    self._tag()
                case b"&":
                    self._write(self._reference() or self._step())
                case _:
                    self._write(self._take(PLAIN).removesuffix("\0"))
        if self._open:
            tag = self._open[-1].tag
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{tag}"')
        for entity in self._entities:
            if entity["type"] == "code":  # which has a language only in a block
                entity.pop("language", None)
        return self._text, self._entities

    # --- reading -----------------------------------------------------------------------------

    @property
    def _byte(self) -> int:
        return self._bytes[self._at]

    def _take(self, pattern: re.Pattern[bytes]) -> str:
        found = pattern.match(self._bytes, self._at)
        assert found is not None
        self._at = found.end()
        return found[0].decode()

    def _step(self) -> str:
        self._at += 1
        return chr(self._bytes[self._at - 1])

    def _write(self, text: str) -> None:
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise MarkupError(
                "Text contains invalid Unicode characters after decoding HTML entities,"
                " check for unmatched surrogate code units"
            )
        self._text += text
        self._offset += units(text)

    def _reference(self) -> str:
        """What stands for another character; empty, and nothing is read, where that is none."""
        found = REFERENCE.match(self._bytes, self._at)
        assert found is not None
        if found["name"] is not None:
            char = NAMED.get(found["name"], "")
        else:
            code = int(found["hex"] or b"0", 16) or int(found["number"] or b"0")
            fits = 0 < code < 0x10FFFF and len(found[0]) < LONGEST_REFERENCE
            char = chr(code) if fits else ""
        if char:
            self._at = found.end() + (self._bytes[found.end()] == ord(";"))
        return char

    # --- tags --------------------------------------------------------------------------------

    def _tag(self) -> None:
        begin = self._at
        self._at += 1
        if self._byte == ord("/"):
            self._at += 1
            self._end_tag(begin)
        else:
            self._start_tag(begin)

    def _start_tag(self, begin: int) -> None:
        tag = self._take(TAG_NAME).lower()
        if self._byte == END:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        if tag not in KINDS:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {begin}')
        argument = ""
        self._take(BLANKS)
        while self._byte != ord(">"):
            argument = self._attribute(tag, begin) or argument
            self._take(BLANKS)
        self._at += 1
        if tag == "span" and argument != "spoiler":
            raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self._open.append(_Open(tag, argument, self._offset, len(self._text)))

    def _attribute(self, tag: str, begin: int) -> str:
        """Read an attribute, and say what it means for the tag, if anything."""
        name = self._take(ATTRIBUTE_NAME)
        if not name:
            raise MarkupError(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        value = self._value(tag, begin)
        match tag, name:
            case ("a", "href") | ("tg-emoji", "emoji-id"):
                return value
            case ("code", "class") if value.startswith("language-"):
                return value.removeprefix("language-")
            case ("span", "class") if value.startswith("tg-"):
                return value.removeprefix("tg-")
            case ("blockquote", "expandable"):
                return "1"
        return ""

    def _value(self, tag: str, begin: int) -> str:
        """An attribute's value: a word, or anything in quotes, or none at all."""
        self._take(BLANKS)
        if self._byte == END:
            raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        if self._byte != ord("="):
            return ""
        self._at += 1
        self._take(BLANKS)
        if self._byte == END:
            raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        quote = self._byte
        if quote in b"\"'":
            self._at += 1
            value = self._quoted(quote)
        else:
            word = self._at
            value = self._take(NAME_TOKEN).lower()
            if self._byte not in b"> \t\r\n\x0b\x00":
                raise MarkupError(f"Unexpected end of name token at byte offset {word}")
        if self._byte == END:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        return value

    def _quoted(self, quote: int) -> str:
        value = bytearray()
        while self._byte not in (quote, END):
            referred = self._reference() if self._byte == ord("&") else ""
            if referred:
                value += referred.encode("utf-8", "replace")
            else:
                value.append(self._byte)
                self._at += 1
        if self._byte == quote:
            self._at += 1
        return value.decode()

    def _end_tag(self, begin: int) -> None:
        if not self._open:
            raise MarkupError(f"Unexpected end tag at byte offset {begin}")
        found = self._take(TAG_NAME).lower()
        self._take(BLANKS)
        if self._byte != ord(">"):
            raise MarkupError(f"Unclosed end tag at byte offset {begin}")
        self._at += 1
        ended = self._open.pop()
        if found and found != ended.tag:
            raise MarkupError(
                f'Unmatched end tag at byte offset {begin}, expected "</{ended.tag}>", found "</{found}>"'
            )
        if self._offset > ended.offset:
            self._note(ended)

    def _note(self, ended: _Open) -> None:
        length = self._offset - ended.offset
        entity: dict[str, Any] = {"type": KINDS[ended.tag], "offset": ended.offset, "length": length}
        match ended.tag:
            case "a":
                linked = _linked(ended.argument or self._text[ended.begin :])
                if linked is None:  # the text stays, without a link
                    return
                entity |= linked
            case "tg-emoji":
                if not ended.argument.isdecimal() or int(ended.argument) == 0:
                    raise MarkupError("Invalid custom emoji identifier specified")
                entity["custom_emoji_id"] = ended.argument
            case "blockquote" if ended.argument:
                entity["type"] = "expandable_blockquote"
            case "pre" | "code":
                if self._both_are_code(entity, ended.argument):
                    return
                if ended.tag == "code" and ended.argument:
                    entity["language"] = ended.argument  # of the <pre> around it, if there is one
        self._entities.append(entity)

    def _both_are_code(self, outer: dict[str, Any], language: str) -> bool:
        """Whether the tag only repeats the one in it: <pre><code class="language-…"> is one entity."""
        last = self._entities[-1] if self._entities else {}
        same = (last.get("offset"), last.get("length")) == (outer["offset"], outer["length"])
        if not same or {last["type"], outer["type"]} != {"code", "pre"}:
            return False
        last["type"] = "pre"
        if language:
            last["language"] = language
        return True


def _linked(link: str) -> dict[str, Any] | None:
    person = USER_LINK.fullmatch(link)
    if person is not None:
        user = {"id": int(person[1]), "is_bot": False, "first_name": ""}
        return {"type": "text_mention", "user": user}
    try:
        return {"url": checked_link(link)}
    except ValueError:
        return None
