"""From a thread to the posts of one channel. Pure and deterministic.

Every post's measured length, label included, is within the limit. A part that fits is one post; a part
that does not is cut (see `split`) into as few pieces as can be, and the pieces put together are the part.

- `keep`: a part that fits is posted exactly as written. The pieces of one that does not are labelled with
  the author's marker and a letter after its number: `7a/ 7b/`, `7a/30`, `(7a/30)`, `7️⃣a`; after `z` come
  `aa`, `ab`. Between label and piece stands what the author put there, or one blank. Pieces of a part
  without a marker, after parts that have one, are `a/ b/`. Where no part has a marker, as `renumber`.
- `renumber`: `1/`, `2/` over the posts of the channel, in place of the author's markers, in the digits that
  these are written with. `total`: `1/34`.
- `none`: the text alone.

Labels stand where the thread has its markers, before the text or after it. One part that fits gets no
label, in every mode. A part with nothing to see in it is its marker alone in `keep`, and left out in the
others; so is a piece of a part that is nothing but invisible characters.

The files of a part go out in their order, with its first pieces: as many together as the network takes in
one post, only kinds that it shows together. Where there are more, or the text beside them is too long for
one post, the part goes on in another (`7b/`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from threadcast.queue.compose.rules import CannotComposeError, MediaRules, Numbering, Post, Rules
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import Media, MediaKind, megabytes
from threadcast.queue.text.thread import Part, Placement, Thread, is_blank, written


def compose(thread: Thread, rules: Rules, out: int = 0) -> tuple[Post, ...]:
    """The posts of a thread under a channel's rules. The first `out` parts are out: none of them is packed.

    Raises CannotComposeError where the thread has nothing to post, where the limit has no room for a
    label and one grapheme, or where the channel does not take one of its files.
    """
    if rules.head:
        below = replace(rules, measure=lambda text: rules.measure(rules.head + text), head="")
        return tuple(replace(post, text=rules.head + post.text) for post in compose(thread, below, out))
    if rules.packed:
        return _packed(compose(thread, replace(rules, packed=False)), rules, out)
    shown = [
        _Shown(number, part, _groups(number, part, rules.media))
        for number, part in enumerate(thread.parts, 1)
    ]
    keep = rules.numbering is Numbering.KEEP and any(part.marker for part in thread.parts)
    if keep and len(thread.parts) > 1:
        return _kept(thread, shown, rules)
    filled = [one for one in shown if not one.part.is_empty]
    if len(filled) == 1 and filled[0].fits(filled[0].part.text, rules):
        return (filled[0].post("", filled[0].part.text, rules),)
    posts = _kept(thread, shown, rules) if keep else _numbered(thread, filled, rules)
    if not posts:
        raise CannotComposeError("The thread has no text to post: add some, or cancel it.")
    return posts


def _packed(posts: tuple[Post, ...], rules: Rules, out: int) -> tuple[Post, ...]:
    """The same texts in as few posts as they fit into, in their order; one with files stays alone."""
    packed: list[Post] = []
    for post in posts:
        before = packed[-1] if packed else None
        if before is not None and before.part > out and not (before.media or post.media):
            text = f"{before.text}\n\n{post.text}"
            length = rules.measure(text)
            if length <= rules.limit:
                packed[-1] = Post(post.part, f"{before.label} {post.label}".strip(), text, length)
                continue
        packed.append(post)
    return tuple(packed)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A part by its number in the thread, and its files as they share posts."""

    number: int
    part: Part
    groups: tuple[tuple[Media, ...], ...]

    def fits(self, text: str, rules: Rules) -> bool:
        """Whether the whole part is one post."""
        return len(self.groups) < 2 and rules.fits(text, self.media(0))  # noqa: PLR2004  # one post each

    def media(self, piece: int) -> tuple[Media, ...]:
        """The files of its piece of this number."""
        return self.groups[piece] if piece < len(self.groups) else ()

    def post(self, label: str, text: str, rules: Rules, piece: int = 0) -> Post:
        return Post(self.number, label, text, rules.measure(text), self.media(piece))


def untaken(thread: Thread, rules: MediaRules | None) -> str:
    """Return why a channel does not take one of a thread's files; empty where it takes them all."""
    try:
        for number, part in enumerate(thread.parts, 1):
            _groups(number, part, rules)
    except CannotComposeError as error:
        return str(error)
    return ""


def _kept(thread: Thread, shown: list[_Shown], rules: Rules) -> tuple[Post, ...]:
    """The posts with the author's markers."""
    posts: list[Post] = []
    loose = 0  # pieces of parts without a marker so far: their letters go on, so that none comes twice
    for one in shown:
        part, marker = one.part, one.part.marker
        text = marker if is_blank(part.text) else written(part, thread.placement)
        if not text and not one.groups:
            continue
        if one.fits(text, rules):
            posts.append(one.post(marker, text, rules))
            continue
        frame = _Frame(thread.placement, (part.marker and part.joint) or " ", _letters(marker, loose))
        pieces = list(_pieces(one, frame, rules))
        posts += (
            one.post(frame.label(piece), frame.around(piece, text), rules, piece)
            for piece, text in enumerate(pieces)
        )
        if not marker:
            loose += len(pieces)
    return tuple(posts)


def _numbered(thread: Thread, filled: list[_Shown], rules: Rules) -> tuple[Post, ...]:
    """The posts with our numbers, or with none."""
    digits = _digits("".join(one.part.marker for one in filled[:1]))
    total = len(filled)
    while True:
        pieces: list[tuple[_Shown, int, str]] = []
        for one in filled:
            label = _numbers(rules.numbering, len(pieces) + 1, total, digits)
            frame = _Frame(thread.placement, " ", label)
            whole = "" if is_blank(one.part.text) else one.part.text
            if one.fits(frame.around(0, whole), rules):
                pieces.append((one, 0, whole))
            else:
                pieces += ((one, piece, text) for piece, text in enumerate(_pieces(one, frame, rules)))
        # A total with more digits makes longer labels, which may make more posts. Where they make fewer
        # (words and addresses are broken elsewhere), the labels of the right total are no longer.
        if rules.numbering is not Numbering.TOTAL or len(pieces) <= total:
            break
        total = len(pieces)
    frame = _Frame(thread.placement, " ", _numbers(rules.numbering, 1, len(pieces), digits))
    return tuple(
        one.post(frame.label(place), frame.around(place, text), rules, piece)
        for place, (one, piece, text) in enumerate(pieces)
    )


Label = Callable[[int], str]
"""The label of a part's piece of this number, counted from 0."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the pieces of a part."""

    placement: Placement
    joint: str
    label: Label

    def around(self, piece: int, text: str) -> str:
        label = self.label(piece)
        if not label or not text:
            return label or text
        return label + self.joint + text if self.placement is Placement.PREFIX else text + self.joint + label


def _pieces(one: _Shown, frame: _Frame, rules: Rules) -> Iterator[str]:
    """The texts of the posts of a part that is too much for one; empty where files stand alone."""

    def fits(piece: int, text: str) -> bool:
        return rules.fits(frame.around(piece, text), one.media(piece))

    number, part = one.number, one.part
    words = part.text.strip() or ("" if one.groups else part.marker)
    from threadcast.queue.compose.split import CannotSplitError, cut  # noqa: PLC0415  # few parts are cut

    try:
        pieces = cut(words, fits) if words else ()
    except CannotSplitError as error:
        grapheme, label = f"{error.grapheme[:8]!r}", frame.label(0)
        if label:
            grapheme = Sentence("{grapheme} with its label {label}", grapheme=grapheme, label=label)
        about = {"number": number, "line": part.line, "grapheme": grapheme, "limit": rules.limit}
        raise CannotComposeError(
            "Part {number} (line {line}) cannot be posted: one character of it, {grapheme}, is longer than "
            "the limit of {limit}. Raise the channel's limit, choose another numbering, or change the text.",
            **about,
        ) from None
    count = len(one.groups)
    # What stands beside files keeps its place; behind them an empty post is nothing.
    yield from ("" if is_blank(text) else text for text in pieces[:count])
    yield from [""] * (count - len(pieces))
    yield from (text for text in pieces[count:] if not is_blank(text))


def grouped(files: Iterable[Media], rules: MediaRules) -> tuple[tuple[Media, ...], ...]:
    """Return kept files in the posts that they share, in their order."""
    groups: list[tuple[Media, ...]] = []
    kinds: list[MediaKind] = []
    for media in files:
        kinds = [*kinds, rules.kind_of(media.file)] if media.file else kinds
        if groups and len(kinds) <= rules.count and any(one.issuperset(kinds) for one in rules.together):
            groups[-1] = (*groups[-1], media)
        else:
            groups.append((media,))
            kinds = kinds[-1:]
    return tuple(groups)


def _groups(number: int, part: Part, rules: MediaRules | None) -> tuple[tuple[Media, ...], ...]:
    """A part's files in the posts that they share. Raises CannotComposeError where one is not taken."""
    for media in part.media:
        if rules is None:
            raise CannotComposeError(
                "Part {number} shows {name}, and this channel cannot post files: send the thread "
                "to another channel, or take the line out of the text.",
                number=number,
                name=media.name,
            )
        _require_taken(number, media, rules)
    return grouped(part.media, rules) if rules else ()


def _require_taken(number: int, media: Media, rules: MediaRules) -> None:
    """Raise CannotComposeError where the channel does not take a file."""
    where = Sentence("Part {number} (line {line})", number=number, line=media.line)
    about = {"where": where, "name": media.name}
    if media.file is None:
        raise CannotComposeError(
            "{where} names {name}, which nobody has stored: add the thread again with it.", **about
        )
    kind = rules.kind_of(media.file)
    most = rules.sizes.get(kind)
    about |= {"kind": _NAMES[kind], "size": megabytes(media.file.size)}
    if most is None:
        raise CannotComposeError(
            "{where} shows {name}, and this channel takes no {kind}: send the thread to "
            "another channel, or take the line out of the text.",
            **about,
        )
    if kind is not MediaKind.IMAGE and media.file.size > most:
        raise CannotComposeError(
            "{where} shows {name}, which has {size}: this channel takes no {kind} over "
            "{most}. Make it smaller, and add the thread again with it.",
            **about | {"most": megabytes(most)},
        )
    length, longest = len(media.description), rules.description
    if longest and length > longest:
        raise CannotComposeError(
            "{where} describes {name} in {length:,} characters: this channel takes {most:,} at the most. "
            "Make the description shorter.",
            **about | {"length": length, "most": longest},
        )


_NAMES = {
    MediaKind.IMAGE: Sentence("picture"),
    MediaKind.ANIMATION: Sentence("animation"),
    MediaKind.VIDEO: Sentence("video"),
    MediaKind.AUDIO: Sentence("recording"),
    MediaKind.VOICE: Sentence("voice message"),
    MediaKind.DOCUMENT: Sentence("file of this kind"),
}


def _numbers(numbering: Numbering, first: int, total: int, digits: dict[int, int]) -> Label:
    """The labels of a part's pieces, the first of which is post number `first` of `total`."""
    if numbering is Numbering.NONE:
        return lambda _piece: ""
    of = str(total) if numbering is Numbering.TOTAL else ""
    return lambda piece: f"{first + piece}/{of}".translate(digits)


def _digits(marker: str) -> dict[int, int]:
    """Which digits to write for ours: those of the script that the author's number is in."""
    digit = next((sign for sign in marker if sign.isdecimal()), "0")
    zero = ord(digit) - int(digit)
    return {ord("0") + value: zero + value for value in range(10)}


# Keycaps, digits of any script, a circled number, or the n of `n/n`.
_NUMBER = re.compile(
    "(?:\\d\ufe0f?\u20e3)+|\\d+|🔟|[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]|[nNxX?∞](?=/)"
)


def _letters(marker: str, used: int) -> Label:
    """The labels of a part's pieces: its marker with a letter, or letters alone (`used` ones are taken)."""
    number = _NUMBER.search(marker)
    if number is None:
        return lambda piece: _letter(used + piece) + "/"
    before, after = marker[: number.end()], marker[number.end() :]
    return lambda piece: before + _letter(piece) + after


def _letter(index: int) -> str:
    """Letters in the order a to z, aa, ab and so on, from 0."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters
