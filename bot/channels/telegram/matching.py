"""Which message of a chat is the post that was looked for, and where a chain is not as it was sent. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum, auto
from itertools import pairwise
from typing import Final

from threadcast.bot.channels.port import Difference, Expected
from threadcast.bot.plain import quoted
from threadcast.queue.outcomes import Absent, Blind, Sent
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import UNNAMED, Media, MediaKind

MUCH_ALIKE: Final = 0.75  # of the words, in their order: such a text may be the post, changed since

# What Telegram leaves out of a text that it stores: carriage returns, line separators, marks that turn
# the direction of writing, and three combining marks.
# https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp (clean_input_string)
LEFT_OUT: Final = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
CONTROLS: Final = re.compile("[\0-\x1f]")

Address = Callable[[int], str | None]


class File(Enum):
    """What a message shows beside its text: Telegram makes of a video what it likes, but no photo."""

    NONE = auto()
    PHOTO = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a chat. `text` is empty where it has none.

    `file` says whether it shows one, `name` which, as Telegram calls it.
    `own`: it was written here, and where people write too, by us; None where that cannot be seen.
    """

    message_id: int
    text: str
    own: bool | None = True
    file: File = File.NONE
    name: str = UNNAMED


def words(text: str) -> list[str]:
    """A text as Telegram would store it, in words: white space is what it changes most."""
    return CONTROLS.sub(" ", LEFT_OUT.sub("", text)).split()


def alike(one: str, other: str) -> bool:
    """Whether two texts are one after Telegram has stored them."""
    return words(one) == words(other)


def much_alike(one: str, other: str) -> bool:
    """Whether one text may be the other after somebody mended it."""
    return SequenceMatcher(None, words(one), words(other), autojunk=False).ratio() >= MUCH_ALIKE


def files_of(media: Sequence[Media]) -> tuple[File, ...]:
    """What the messages of a post show, one after the other: an album has a message for each file."""
    kinds = [one.file.kind if one.file else None for one in media]
    return tuple(File.PHOTO if kind is MediaKind.IMAGE else File.OTHER for kind in kinds) or (File.NONE,)


def verdict(
    shown: Sequence[Shown], text: str, address: Address, files: Sequence[File] = (File.NONE,)
) -> Sent | Absent | Blind:
    """What the messages behind the one before it say of a post that shows these files."""
    fits: list[Sequence[Shown]] = []
    doubts: list[str] = []
    behind = 0  # the album that was found last
    for index, message in enumerate(shown):
        if index < behind:
            continue
        album = shown[index : index + len(files)]
        if message.own and _is_post(album, text, files):
            fits.append(album)
            behind = index + len(album)
        elif doubt := _doubt(album, text, files):
            where = _where(message.message_id, address)
            doubts.append(Sentence("{doubt}: {where}", doubt=doubt, where=where))
    match fits:
        case [[first, *more]]:
            album_ids = tuple(str(one.message_id) for one in more)
            return Sent(str(first.message_id), address(first.message_id), album_ids)
        case []:
            return Blind(doubts[0], seen=True) if doubts else Absent()
    places = ", ".join(_where(album[0].message_id, address) for album in fits)
    return Blind(Sentence("more than one message has this text: {places}", places=places), seen=True)


def _is_post(album: Sequence[Shown], text: str, files: Sequence[File]) -> bool:
    """Whether these messages are a post, the words beside the first file."""
    words = [text, *[""] * (len(files) - 1)]
    return [one.file for one in album] == list(files) and all(
        alike(one.text, said) for one, said in zip(album, words, strict=True)
    )


def _doubt(album: Sequence[Shown], text: str, files: Sequence[File]) -> str:
    """Why a message may be the post all the same; empty where it cannot be."""
    first = album[0]
    if first.own is None and _is_post(album, text, files):
        return Sentence("it does not show who wrote the one message that has this text")
    if first.own is False or not words(text):
        return ""
    if first.own and alike(first.text, text):
        return Sentence("a message with its text is there, and shows other files")
    if much_alike(first.text, text) and not alike(first.text, text):
        return Sentence("a message much like it is there, and may be the post, edited since")
    return ""


def doubt_about(message: Shown, texts: Iterable[str]) -> str:
    """Why a message may not be the post that has one of these texts; empty where it is."""
    if message.own is False:
        return Sentence("it was written by somebody else")
    return (
        ""
        if any(alike(message.text, text) for text in texts)
        else Sentence("it says {text}", text=quoted(message.text))
    )


def _where(message_id: int, address: Address) -> str:
    return address(message_id) or Sentence("message {id}", id=message_id)


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
            found.append(
                Difference(
                    "missing", expected.position, Sentence("message {number} is not there", number=number)
                )
            )
        elif not alike(message.text, expected.text):
            found.append(
                Difference("edited", expected.position, Sentence("its text is another: {where}", where=where))
            )
        found += _files(expected, seen, address)
        if number < last:
            found.append(
                Difference(
                    "out-of-order",
                    expected.position,
                    Sentence("it is older than {last}: {where}", last=last, where=where),
                )
            )
        last = max(last, number)
    return (*found, *_extras(chain, seen, address))


def _files(expected: Expected, seen: Mapping[int, Shown | None], address: Address) -> Iterator[Difference]:
    """Where the messages of a post show other files, or those of an album are gone."""
    messages = [int(one) for one in (expected.remote_id, *expected.album)]
    others = expected.others([one.name if (one := seen.get(each)) else UNNAMED for each in messages])
    for place, (kind, picture) in enumerate(zip(files_of(expected.media), messages, strict=False)):
        shown, where = seen.get(picture), _where(picture, address)
        if shown is None and place:
            what = Sentence("message {picture}, a file of it, is not there", picture=picture)
            yield Difference("missing", expected.position, what)
        elif shown is not None and (shown.file is not kind or place in others):
            what = Sentence("it shows another file: {where}", where=where)
            yield Difference("edited", expected.position, what, place)


def _extras(
    chain: Sequence[Expected], seen: Mapping[int, Shown | None], address: Address
) -> Iterator[Difference]:
    ours = set(own(chain))
    for number, message in sorted(seen.items()):
        if number in ours or message is None or message.own is False:
            continue
        same = [one.position for one in chain if one.text and alike(one.text, message.text)]
        if same:
            what = Sentence(
                "post {same} stands there once more: {address}", same=same[0], address=_where(number, address)
            )
            yield Difference("extra", None, what)


def own(chain: Sequence[Expected]) -> frozenset[int]:
    """The ids of all messages of a chain."""
    return frozenset(int(number) for one in chain for number in (one.remote_id, *one.album))


def beside(chain: Sequence[Expected], each: int, most: int) -> tuple[int, ...]:
    """The ids behind the posts of a chain that are not its own: at most `each` behind one, `most` in all."""
    ours = sorted(own(chain))
    ends = [*ours, ours[-1] + each + 1] if ours else []
    found = [number for one, other in pairwise(ends) for number in range(one + 1, min(other, one + each + 1))]
    return tuple(found[:most])
