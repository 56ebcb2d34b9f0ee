"""From a thread to the posts of one channel. (Values only so far; `compose` follows.)"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from threadcast.queue.thread import Thread

Measure = Callable[[str], int]


class Numbering(StrEnum):
    """How the posts of a channel are numbered."""

    KEEP = "keep"  # the author's markers as written
    RENUMBER = "renumber"  # 1/ 2/ … over the posts of the channel
    TOTAL = "total"  # 1/34 2/34 …
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel accepts: `limit` in the units that `measure` counts in."""

    limit: int
    measure: Measure
    numbering: Numbering = Numbering.KEEP


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it will be sent.

    `part` is the position of its part in the thread, from 1. `label` is the number shown to the
    reader, empty where there is none; `text` is the whole post, label included; `length` is the
    text's length by the channel's own measure.
    """

    part: int
    label: str
    text: str
    length: int


class CannotComposeError(ValueError):
    """The thread cannot be put into posts under these rules; the message says why."""


def compose(thread: Thread, rules: Rules) -> tuple[Post, ...]:
    """The posts of a thread under a channel's rules."""
    raise NotImplementedError
