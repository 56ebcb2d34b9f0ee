"""A message of the bot in Telegram's HTML, with its buttons. Pure.

https://core.telegram.org/bots/api#html-style
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape

from threadcast.bot import wording
from threadcast.bot.languages import _
from threadcast.bot.plain import plain

LIMIT = 4096  # code points of a message, after its markup: https://core.telegram.org/bots/api#sendmessage
FEW = 3  # messages that one answer may be; a longer one is a file
TOAST = 200  # code points of the answer to a button: https://core.telegram.org/bots/api#answercallbackquery

LONGEST_CAPTION = 200  # code points of a file's caption, of the 1024 that Telegram takes

_TAG = re.compile(r"</?([a-z]+)(?: [^>]*)?>")
_ATOM = re.compile(r"</?[a-z]+(?: [^>]*)?>|&[#0-9a-z]+;|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Button:
    """What stands on a button, and what comes back when it is pressed: at most 64 bytes."""

    label: str
    data: str


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `text` is HTML.

    `quiet`: it makes no sound. `asks` is what stands in the field for the person's reply, where one is
    wanted. `file` is sent along, with its name. `reply_to` is the message that it replies to, if
    that is there.
    """

    text: str
    buttons: Rows = ()
    quiet: bool = False
    asks: str = ""
    file: tuple[str, bytes] | None = None
    reply_to: int | None = None


Say = Callable[[], Message]  # in the language that is spoken where it is called


def sentence(error: Exception) -> str:
    """What is said of an error in the chat."""
    return wording.sentence(error, wording.CHAT)


def clean(text: str) -> str:
    """Text that can be stored and sent: none of what JSON can write and no text can hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


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
    return f'<a href="{escape(plain(address))}">{esc(text)}</a>'


def visible(html: str) -> str:
    """What a person reads of it."""
    return unescape(_TAG.sub("", html))


def rows(*groups: Sequence[Button | None]) -> Rows:
    """Rows of buttons, without what is None and what is empty."""
    kept = (tuple(button for button in group if button is not None) for group in groups)
    return tuple(row for row in kept if row)


def in_messages(said: Message) -> tuple[Message, ...]:
    """The same as messages that Telegram takes: split between lines, or with all of its text in a file.

    The buttons are below the last.
    """
    texts = split(said.text)
    if len(texts) > FEW:
        head = texts[0].partition("\n")[0]
        head = head if 0 < len(visible(head)) <= LONGEST_CAPTION else _("The answer")
        file = ("answer.txt", f"{visible(said.text)}\n".encode())
        return (replace(said, text=f"{head}\n{_('(the whole answer is in the file)')}", file=file),)
    *first, last = texts
    return (*(Message(text, quiet=said.quiet) for text in first), replace(said, text=last))


def split(html: str, limit: int = LIMIT) -> list[str]:
    """The text in pieces of at most `limit` visible characters, cut between lines where it can be.

    A tag that is open where a line has to be cut ends there, and begins again in the next piece.
    """
    pieces: list[str] = []
    piece, length = "", 0
    for line in html.split("\n"):
        for part in [line] if len(visible(line)) <= limit else _cut(line, limit):
            more = len(visible(part))
            if piece and length + 1 + more > limit:
                pieces.append(piece)
                piece, length = "", 0
            piece, length = (f"{piece}\n{part}", length + 1 + more) if piece else (part, more)
    return [*pieces, piece] if piece or not pieces else pieces


def _cut(line: str, limit: int) -> Iterator[str]:
    """A line in parts of `limit` visible characters, each with its tags."""
    part, length = "", 0
    opened: list[str] = []
    for atom in _ATOM.findall(line):
        tag = _TAG.fullmatch(atom)
        if tag is None:
            if length == limit:
                yield part + "".join(f"</{_name(each)}>" for each in reversed(opened))
                part, length = "".join(opened), 0
            length += 1
        elif atom.startswith("</"):
            opened.pop()
        else:
            opened.append(atom)
        part += atom
    yield part


def _name(tag: str) -> str:
    found = _TAG.fullmatch(tag)
    assert found is not None  # noqa: S101  # what stands in `opened`
    return found[1]
