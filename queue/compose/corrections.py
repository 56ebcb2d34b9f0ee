"""What the posts of a chain that is out become where its thread says something else now. Pure.

Each stays where it is, with its number: a chain has no room for one post more, or less, in its middle.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from threadcast.queue.compose.compose import Post, Rules, compose
from threadcast.queue.text.thread import Thread


class MisfitError(ValueError):
    """A part would be more posts than before, or fewer, or have other numbers. `part` counts from 1."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} does not fit where it was")
        self.part = part


def recompose(thread: Thread, rules: Rules, out: Sequence[Post]) -> tuple[Post, ...]:
    """Return the posts that are `out` as they are to be, one for each; parts behind theirs are left alone.

    Parts that share a post go on sharing it. Raises MisfitError, and CannotComposeError as `compose` does.
    """
    single = replace(rules, packed=False, head="", measure=lambda text: rules.measure(rules.head + text))
    known = max(post.part for post in out)
    new = compose(replace(thread, parts=thread.parts[:known]), single)
    if not rules.packed and all(post.label for post in out):  # a post may have been skipped
        parts = {post.part for post in out}
        new = tuple(post for post in new if post.part in parts)
    queue, found = deque(new), []
    for post in out:
        group: list[Post] = []
        while not _same(group, post):
            if not queue or queue[0].part > post.part or (group and not rules.packed):
                raise MisfitError(post.part)
            group.append(queue.popleft())
        text, media = rules.head + "\n\n".join(one.text for one in group), group[0].media
        if len(group) > 1 and (any(one.media for one in group) or not rules.fits(text, ())):
            raise MisfitError(post.part)
        found.append(Post(post.part, post.label, text, rules.measure(text), media))
    if queue:
        raise MisfitError(queue[0].part)
    return tuple(found)


def _same(group: Sequence[Post], post: Post) -> bool:
    """Whether these make the post: the same parts, by their numbers."""
    label = " ".join(one.label for one in group if one.label)
    return bool(group) and group[-1].part == post.part and label == post.label


def inserted(before: Thread, after: Thread) -> int | None:
    """Return the first part that is new and has others of before behind it; None where there is none."""
    old, new = ([part.text for part in thread.parts] for thread in (before, after))
    if len(new) <= len(old):
        return None
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in {"insert", "replace"} and last < len(old) and end - start > last - first:
            return start + last - first + 1
    return None
