"""What the posts of a chain that is out become where its thread says something else now. Pure.

Each stays where it is, with its number: a chain has no room for one post more, or less, in its middle.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from enum import StrEnum

from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.elsewhere import NO_PART, Elsewhere
from threadcast.queue.compose.rules import MediaRules, Numbering, Post, Rules
from threadcast.queue.text.media import NOT_THERE, UNNAMED, Media, MediaKind
from threadcast.queue.text.thread import Placement, Thread


class MisfitError(ValueError):
    """A part would be more posts than before, or fewer, or have other numbers. `part` counts from 1."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} does not fit where it was")
        self.part = part


class FileFault(StrEnum):
    """Why a post that is out cannot show other files, where they are replaced one by one."""

    COUNT = "count"  # it would show more of them, or fewer
    FAMILY = "family"  # those of an album would be of a kind that does not go with the others
    FIXED = "fixed"  # a file of this kind stays, and none can become one


class OtherFilesError(ValueError):
    """The network cannot show these files in a post that is out. `part` counts from 1."""

    def __init__(self, part: int, fault: FileFault) -> None:
        super().__init__(f"part {part} cannot show these files: {fault}")
        self.part = part
        self.fault = fault


def recompose(
    thread: Thread, rules: Rules, out: Sequence[Post], elsewhere: Elsewhere | None = None
) -> tuple[Post, ...]:
    """Return the posts that are `out` as they are to be, one for each; parts behind theirs are left alone.

    Parts that share a post go on sharing it, and what says where the thread is `elsewhere` goes on saying it
    where there is room. Each keeps its number, also of a total that was another when it went out. Raises
    MisfitError, and CannotComposeError as `compose` does.
    """
    single = replace(rules, packed=False, head="", measure=lambda text: rules.measure(rules.head + text))
    parts_out = [post for post in out if post.part != NO_PART]
    known = max(post.part for post in parts_out)
    new = compose(replace(thread, parts=thread.parts[:known]), single)
    if not rules.packed and all(post.label for post in parts_out):  # a post may have been skipped
        parts = {post.part for post in parts_out}
        new = tuple(post for post in new if post.part in parts)
    queue, found = deque(_numbered_as(parts_out, new, thread, rules)), []
    for post in out:
        if post.part == NO_PART:
            found.append(post)
            continue
        group: list[Post] = []
        while not _same(group, post):
            if not queue or queue[0].part > post.part or (group and not rules.packed):
                raise MisfitError(post.part)
            group.append(queue.popleft())
        text, media = rules.head + "\n\n".join(one.text for one in group), group[0].media
        if (len(group) > 1 and any(one.media for one in group)) or not rules.fits(text, media):
            raise MisfitError(post.part)
        one = Post(post.part, post.label, text, rules.measure(text), media)
        says = elsewhere is not None and elsewhere.said_by(post)
        found.append((elsewhere.appended(one, rules) if elsewhere and says else None) or one)
    if queue:
        raise MisfitError(queue[0].part)
    return tuple(found)


def _same(group: Sequence[Post], post: Post) -> bool:
    """Whether these make the post: the same parts, by their numbers."""
    label = " ".join(one.label for one in group if one.label)
    return bool(group) and group[-1].part == post.part and label == post.label


def _numbered_as(out: Sequence[Post], new: Sequence[Post], thread: Thread, rules: Rules) -> Sequence[Post]:
    """Return the new posts with the labels that are out, where these were numbered by us and say no other.

    A chain that was continued has more than one total, and its first part may have been all there was.
    """
    labels = [label for post in out for label in post.label.split(" ")]
    if rules.numbering not in {Numbering.RENUMBER, Numbering.TOTAL} or len(labels) != len(new):
        return new
    return [_labelled(one, label, thread.placement) for one, label in zip(new, labels, strict=True)]


def _labelled(post: Post, label: str, placement: Placement) -> Post:
    """Return a post with another label, which has its number or is none."""
    number = post.label.partition("/")[0]
    if label == post.label or label.partition("/")[0] not in {"", number}:
        return post
    if placement is Placement.PREFIX:
        text = label + post.text.removeprefix(post.label)
    else:
        text = post.text.removesuffix(post.label) + label
    return replace(post, label=label, text=text if label else text.strip())


def uploads_of(
    before: Post, known: Sequence[str], after: Post, rules: MediaRules | None, *, anew: bool = False
) -> tuple[str, ...]:
    """Return what the network calls the files that a post shows `after` its edit: NOT_THERE for new ones.

    `known` is what it calls those of `before`. With `anew` every file is shown anew. Raises OtherFilesError.
    """
    old, new = before.media, after.media
    names = [*known, *[UNNAMED] * (len(old) - len(known))]
    if rules is None or rules.fixed is None:
        left = [(_digest(one), name) for one, name in zip(old, names, strict=True)]
        found: list[str] = []
        for one in new:
            kept = next((each for each in left if each[0] == _digest(one)), None)
            if kept is not None:
                left.remove(kept)
            found.append(NOT_THERE if kept is None else kept[1])
        return tuple(found)
    _require_replaceable(before, after, rules, rules.fixed)
    if anew or not old:
        return (NOT_THERE,) * len(new)
    return tuple(
        name if _digest(one) == _digest(was) else NOT_THERE
        for one, was, name in zip(new, old, names, strict=True)
    )


def _require_replaceable(before: Post, after: Post, rules: MediaRules, fixed: frozenset[MediaKind]) -> None:
    """Raise OtherFilesError where files cannot take the places of others; words alone can get one file."""
    old, new = before.media, after.media
    if len(new) != max(len(old), min(len(new), 1)):
        raise OtherFilesError(after.part, FileFault.COUNT)
    for index, one in enumerate(new):
        was = old[index] if old else None
        if was is not None and _digest(one) == _digest(was):
            continue
        kinds = [rules.kind_of(each.file) for each in (one, was) if each is not None and each.file]
        if fixed.intersection(kinds):
            raise OtherFilesError(after.part, FileFault.FIXED)
        if len(old) > 1 and len({rules.family(kind) for kind in kinds}) > 1:
            raise OtherFilesError(after.part, FileFault.FAMILY)


def _digest(media: Media) -> str:
    return media.file.digest if media.file else media.source


def inserted(before: Thread, after: Thread) -> int | None:
    """Return the first part that is new and has others of before behind it; None where there is none."""
    old, new = ([part.text for part in thread.parts] for thread in (before, after))
    if len(new) <= len(old):
        return None
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in {"insert", "replace"} and last < len(old) and end - start > last - first:
            return start + last - first + 1
    return None
