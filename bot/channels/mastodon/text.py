"""Whether the HTML of a status is the text that was sent. Pure.

Servers change a text on its way: they strip it, leave the host out of a mention, show a link without
its scheme or cut short, and each has its own idea of paragraphs. So two texts are compared by what is
left of them without all that.
"""

import re
import unicodedata
from html.parser import HTMLParser

# As in `threadcast.queue.compose.length`, the host of a mention; both sides lose it.
_MENTION = re.compile(r"(?<![=/\w])(@\w+(?:[.-]+\w+)*)@\w+(?:[.-]+\w+)*")
_SCHEME = re.compile(r"\bhttps?://", re.IGNORECASE)
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # blanks, breaks, joiners, marks of direction
_VARIANTS = range(0xFE00, 0xFE10)  # whether an emoji is shown in colour
_BLOCKS = frozenset({"p", "div", "blockquote", "ul", "ol", "li", "pre"})
_ENDS_SHORT = ("…", "...")


def alike(first: str, second: str) -> bool:
    """Whether two plain texts are the same, but for what servers change."""
    return essence(first) == essence(second)


def essence(text: str) -> str:
    """A text without blanks, invisible characters, the hosts of mentions, the schemes of links and case."""
    text = _SCHEME.sub("", _MENTION.sub(r"\1", unicodedata.normalize("NFC", text)))
    return "".join(
        c for c in text if unicodedata.category(c) not in _INVISIBLE and ord(c) not in _VARIANTS
    ).casefold()


def plain(html: str) -> str:
    """The text that a reader of the HTML sees; links that are shown cut short, in full."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._link: tuple[int, str] | None = None  # where the open link's text begins, and its address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "br":
            self.pieces.append("\n")
        elif tag in _BLOCKS:
            self.pieces.append("\n\n")
        elif tag == "img":  # an emoji of the server's own
            self.pieces.append(given.get("alt", ""))
        elif tag == "a":
            self._link = (len(self.pieces), given.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag != "a" or self._link is None:
            return
        (begin, address), self._link = self._link, None
        if address and "".join(self.pieces[begin:]).endswith(_ENDS_SHORT):
            self.pieces[begin:] = [address]

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
