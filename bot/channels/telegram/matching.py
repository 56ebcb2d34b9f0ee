"""Which message of a chat is the post that was looked for, and where a chain is not as it was sent. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from threadcast.bot.channels.port import Difference, Expected
from threadcast.bot.plain import quoted
from threadcast.queue.outcomes import Absent, Blind, Sent

MUCH_ALIKE: Final = 0.75  # of the words, in their order: such a text may be the post, changed since

# What Telegram leaves out of a text that it stores: carriage returns, line separators, marks that turn
# the direction of writing, and three combining marks.
# https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp (clean_input_string)
LEFT_OUT: Final = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
CONTROLS: Final = re.compile("[\0-\x1f]")

Address = Callable[[int], str | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a chat. `text` is empty where it has none.

    `own`: it was written here, and where people write too, by us; None where that cannot be seen.
    """

    message_id: int
    text: str
    own: bool | None = True


def words(text: str) -> list[str]:
    """A text as Telegram would store it, in words: white space is what it changes most."""
    return CONTROLS.sub(" ", LEFT_OUT.sub("", text)).split()


def alike(one: str, other: str) -> bool:
    """Whether two texts are one after Telegram has stored them."""
    return words(one) == words(other)


def much_alike(one: str, other: str) -> bool:
    """Whether one text may be the other after somebody mended it."""
    return SequenceMatcher(None, words(one), words(other), autojunk=False).ratio() >= MUCH_ALIKE


def verdict(shown: Iterable[Shown], text: str, address: Address) -> Sent | Absent | Blind:
    """What the messages behind the one before it say of a post."""
    fits: list[Shown] = []
    doubts: list[str] = []
    for message in shown:
        where = _where(message.message_id, address)
        if alike(message.text, text):
            if message.own:
                fits.append(message)
            elif message.own is None:
                doubts.append(f"it does not show who wrote the one message that has this text: {where}")
        elif message.own is not False and much_alike(message.text, text):
            doubts.append(f"a message much like it is there, and may be the post, edited since: {where}")
    match fits:
        case [message]:
            return Sent(str(message.message_id), address(message.message_id))
        case []:
            return Blind(doubts[0], seen=True) if doubts else Absent()
    places = ", ".join(_where(message.message_id, address) for message in fits)
    return Blind(f"more than one message has this text: {places}", seen=True)


def doubt_about(message: Shown, texts: Iterable[str]) -> str:
    """Why a message may not be the post that has one of these texts; empty where it is."""
    if message.own is False:
        return "it was written by somebody else"
    return "" if any(alike(message.text, text) for text in texts) else f"it says {quoted(message.text)}"


def _where(message_id: int, address: Address) -> str:
    return address(message_id) or f"message {message_id}"


def differences(
    chain: Sequence[Expected], seen: Mapping[int, Shown | None], address: Address
) -> tuple[Difference, ...]:
    """Where a chain is not as it was sent, in its order.

    `seen` has every message of the chain that was looked at, None where it is not there, and those
    beside them. What a message replies to is not seen.
    """
    found: list[Difference] = []
    last = 0
    for expected in chain:
        number = int(expected.remote_id)
        message = seen.get(number)
        where = _where(number, address)
        if message is None:
            found.append(Difference("missing", expected.position, f"message {number} is not there"))
        elif not alike(message.text, expected.text):
            found.append(Difference("edited", expected.position, f"its text is another: {where}"))
        if number < last:
            found.append(Difference("out-of-order", expected.position, f"it is older than {last}: {where}"))
        last = max(last, number)
    return (*found, *_extras(chain, seen, address))


def _extras(
    chain: Sequence[Expected], seen: Mapping[int, Shown | None], address: Address
) -> Iterator[Difference]:
    ours = {int(expected.remote_id) for expected in chain}
    for number, message in sorted(seen.items()):
        if number in ours or message is None or message.own is False:
            continue
        same = [expected.position for expected in chain if alike(expected.text, message.text)]
        if same:
            what = f"post {same[0]} stands there once more: {_where(number, address)}"
            yield Difference("extra", None, what)


def beside(chain: Sequence[Expected], each: int, most: int) -> tuple[int, ...]:
    """The ids behind the posts of a chain that are not its own: at most `each` behind one, `most` in all."""
    ours = sorted({int(expected.remote_id) for expected in chain})
    ends = [*ours, ours[-1] + each + 1] if ours else []
    found = [number for one, other in pairwise(ends) for number in range(one + 1, min(other, one + each + 1))]
    return tuple(found[:most])
