"""What a person asks for in the chat: a command that they typed, or a button that they pressed. Pure.

A button carries its request: the verb, the threads, a channel, and how the threads stood when it was
shown. Where they stand otherwise by now, the button is an old one.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from threadcast.bot.chat.views.message import Button
from threadcast.bot.languages import _
from threadcast.queue.model import Delivery

MOST_BYTES = 64  # of a button's data: https://core.telegram.org/bots/api#inlinekeyboardbutton
SEPARATORS = 4  # between its five parts
MANY = 100  # threads that one request may be about
LONGEST_NUMBER = 9  # digits
LONGEST_LIST = 30  # characters of threads' numbers, so that every button can carry them
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Press:
    """What a button asks for.

    `stamp` is empty where it is the same however things stand.
    """

    verb: str
    threads: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    stamp: str = ""
    page: int = 0

    def line(self) -> str:
        """The same for the notes, however long."""
        ids, words = ",".join(ranges(self.threads)), " ".join(self.words)
        return f"{self.verb}|{ids}|{words}|{self.stamp}|{self.page or ''}"

    def data(self) -> str:
        """The same as Telegram keeps it for us. Raises TooLongError, where it is too much."""
        data = self.line()
        if len(data.encode()) > MOST_BYTES or data.count("|") != SEPARATORS:
            raise TooLongError(_("that is more than a button can carry: name fewer threads or channels"))
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
    """The numbers that `7`, `#7`, `7-13` or `2,3,7-9` means, each once, lowest first. Raises ValueError."""
    found = sorted({one for run in word.split(",") for one in _run(run)})
    if len(found) > MANY or len(",".join(ranges(found))) > LONGEST_LIST:
        raise ValueError("too many threads")
    return tuple(found)


def _run(word: str) -> range:
    first, dash, last = word.removeprefix("#").partition("-")
    if not all(
        each.isascii() and each.isdigit() and len(each) <= LONGEST_NUMBER
        for each in (first, last if dash else first)
    ):
        raise ValueError("no thread's number")
    begin, end = int(first), int(last) if dash else int(first)
    if not 0 < begin <= end < begin + MANY:
        raise ValueError("no thread's number")
    return range(begin, end + 1)


def ranges(threads: Iterable[int]) -> list[str]:
    """`7-9` for 7, 8, 9."""
    found: list[list[int]] = []
    for one in threads:
        if found and one == found[-1][-1] + 1:
            found[-1].append(one)
        else:
            found.append([one])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found]


def stamp(deliveries: Iterable[Delivery]) -> str:
    """How these deliveries stand, in six characters: another where a state, the text or the tries changed."""
    states = sorted((one.id, one.state.value, one.fence, one.fingerprint) for one in deliveries)
    return f"{zlib.crc32(repr(states).encode()) & 0xFFFFFF:06x}"


def progress(deliveries: Iterable[Delivery]) -> str:
    """The same, and how far they are: another where a message about them is out of date."""
    found = (
        (one.id, one.state.value, one.fence, one.sent, one.reason, one.fingerprint) for one in deliveries
    )
    return repr(sorted(found))


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
