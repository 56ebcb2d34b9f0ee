"""What a person asks for in the chat: a command that they typed, or a button that they pressed. Pure.

A button carries its request: the verb, the threads, a channel, and how the threads stood when it was
shown. Where they stand otherwise by now, the button is an old one.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from threadcast.bot.chat.views.message import Button
from threadcast.queue.model import Delivery

MOST_BYTES = 64  # of a button's data: https://core.telegram.org/bots/api#inlinekeyboardbutton
SEPARATORS = 4  # between its five parts
MANY = 100  # threads that one request may be about
LONGEST_NUMBER = 9  # digits
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Press:
    """What a button asks for. `threads` follow one another.

    `stamp` is empty where it is the same however things stand.
    """

    verb: str
    threads: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    stamp: str = ""
    page: int = 0

    def data(self) -> str:
        """The same as Telegram keeps it for us. Raises TooLongError, which only words can be the cause of."""
        first, last = (self.threads[0], self.threads[-1]) if self.threads else (0, 0)
        ids = f"{first}-{last}" if last != first else str(first or "")
        data = f"{self.verb}|{ids}|{' '.join(self.words)}|{self.stamp}|{self.page or ''}"
        if len(data.encode()) > MOST_BYTES or data.count("|") != SEPARATORS:
            raise TooLongError("that is more than a button can carry: name fewer channels")
        return data


class TooLongError(Exception):
    """A button cannot carry all of a request."""


class BadDataError(Exception):
    """The data is none of ours, or of a version of ours that was otherwise."""


def read_press(data: str) -> Press:
    """What a button asks for. Raises OddPressError."""
    try:
        verb, ids, words, stamp, page = data.split("|")
        return Press(
            verb, threads_of(ids) if ids else (), tuple(words.split()), stamp, _page_of(page) if page else 0
        )
    except ValueError:
        raise BadDataError(data) from None


def _page_of(word: str) -> int:
    """A page, which a client that is not Telegram's own may have made up. Raises ValueError."""
    if not (word.isascii() and word.isdigit() and len(word) < len(str(MOST_PAGES))):
        raise ValueError("no page")
    return int(word)


def threads_of(word: str) -> tuple[int, ...]:
    """The numbers that `7`, `#7` or `7-13` means. Raises ValueError."""
    first, dash, last = word.removeprefix("#").partition("-")
    if not all(
        each.isascii() and each.isdigit() and len(each) <= LONGEST_NUMBER
        for each in (first, last if dash else first)
    ):
        raise ValueError("no thread's number")
    begin, end = int(first), int(last) if dash else int(first)
    if not 0 < begin <= end < begin + MANY:
        raise ValueError("no thread's number")
    return tuple(range(begin, end + 1))


def stamp(deliveries: Iterable[Delivery]) -> str:
    """How these deliveries stand, in six characters: another where a state changed, or a try was made."""
    states = sorted((one.id, one.state.value, one.fence) for one in deliveries)
    return f"{zlib.crc32(repr(states).encode()) & 0xFFFFFF:06x}"


def progress(deliveries: Iterable[Delivery]) -> str:
    """The same, and how far they are: another where a message about them is out of date."""
    return repr(sorted((one.id, one.state.value, one.fence, one.sent, one.reason) for one in deliveries))


def button(
    label: str,
    verb: str,
    threads: tuple[int, ...] = (),
    *words: str,
    stamp: str = "",
    page: int = 0,
) -> Button:
    """A button that asks for something."""
    return Button(label, Press(verb, threads, words, stamp, page).data())
