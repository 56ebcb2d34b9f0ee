"""What the bot says: a message in Telegram's HTML with its buttons. Pure.

https://core.telegram.org/bots/api#html-style
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape

from threadcast.bot.plain import plain

LIMIT = 4096  # code points of a message, after its markup: https://core.telegram.org/bots/api#sendmessage
FEW = 3  # messages that one answer may be; a longer one is a file
TOAST = 200  # code points of the answer to a button: https://core.telegram.org/bots/api#answercallbackquery

_TAG = re.compile(r"</?[a-z]+(?: [^>]*)?>")
_ATOM = re.compile(r"</?[a-z]+(?: [^>]*)?>|&[#0-9a-z]+;|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Button:
    """What stands on a button, and what comes back when it is pressed: at most 64 bytes."""

    label: str
    data: str


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. `text` is HTML whose tags end on the line where they begin.

    `quiet`: it makes no sound. `asks` is what stands in the field for the person's reply, where one is
    wanted. `file` is sent along, with its name.
    """

    text: str
    buttons: Rows = ()
    quiet: bool = False
    asks: str = ""
    file: tuple[str, bytes] | None = None


def esc(text: str) -> str:
    """Text from outside, for one line of a message: nothing in it is markup, or drives the screen."""
    return escape(plain(text), quote=False)


def esc_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(esc(line) for line in text.split("\n"))


def bold(text: str) -> str:
    return f"<b>{esc(text)}</b>"


def code(text: str) -> str:
    return f"<code>{esc(text)}</code>"


def link(address: str, text: str) -> str:
    """A link, where the address is one of the web: nothing else opens in a chat."""
    if not address.startswith(("https://", "http://")):
        return esc(text)
    return f'<a href="{escape(address)}">{esc(text)}</a>'


def visible(html: str) -> str:
    """What a person reads of it."""
    return unescape(_TAG.sub("", html))


def rows(*groups: Sequence[Button | None]) -> Rows:
    """Rows of buttons, without what is None and what is empty."""
    kept = (tuple(button for button in group if button is not None) for group in groups)
    return tuple(row for row in kept if row)


def in_messages(said: Said) -> tuple[Said, ...]:
    """The same as messages that Telegram takes: split between lines, or with all of its text in a file.

    The buttons are below the last.
    """
    texts = split(said.text)
    if len(texts) > FEW:
        head = texts[0][: texts[0].find("\n")] if "\n" in texts[0] else "The answer"
        file = ("answer.txt", f"{visible(said.text)}\n".encode())
        return (replace(said, text=f"{head}\n(the whole answer is in the file)", file=file),)
    *first, last = texts
    return (*(Said(text, quiet=said.quiet) for text in first), replace(said, text=last))


def split(html: str, limit: int = LIMIT) -> list[str]:
    """The text in pieces of at most `limit` visible characters, cut between lines where it can be."""
    pieces: list[str] = []
    piece, length = "", 0
    for line in _lines(html, limit):
        more = len(visible(line)) + (1 if piece else 0)
        if piece and length + more > limit:
            pieces.append(piece)
            piece, length, more = "", 0, len(visible(line))
        piece = f"{piece}\n{line}" if piece else line
        length += more
    return [*pieces, piece] if piece or not pieces else pieces


def _lines(html: str, limit: int) -> Iterator[str]:
    for line in html.split("\n"):
        if len(visible(line)) <= limit:
            yield line
            continue
        # No line of ours is this long: it is text from outside, without tags.
        atoms = _ATOM.findall(line)
        yield from ("".join(atoms[start : start + limit]) for start in range(0, len(atoms), limit))
