"""What the servers hold against what was accepted: every post exactly once, in order, under its parent."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What a reader sees of a post: its id, the id it replies to, its text.
Seen = tuple[str, str | None, str]


@dataclass(frozen=True)
class Verdict:
    """`losses` are posts that are not there, `strangers` posts that nobody wrote so."""

    posts: int = 0
    duplicates: int = 0
    losses: int = 0
    wrong_parents: int = 0
    strangers: int = 0

    @property
    def flawless(self) -> bool:
        return not (self.duplicates or self.losses or self.wrong_parents or self.strangers)


def judge(seen: Sequence[Seen], chains: Sequence[Sequence[str]]) -> Verdict:
    """Compare what a reader sees, oldest first, with the chains that had to be published.

    No two texts in the chains are the same. A post's parent is right where it is the first post with
    the text before it in the chain, and older.
    """
    before: dict[str, str | None] = {}
    for chain in chains:
        before |= zip(chain, [None, *chain], strict=False)
    first: dict[str | None, str] = {}
    wrong = 0
    for remote_id, parent, text in seen:
        if text in before:
            right = first.get(before[text])  # one that comes later is not there yet
            wrong += parent != right or (before[text] is not None and right is None)
        first.setdefault(text, remote_id)
    strangers = sum(text not in before for _, _, text in seen)
    found = len(before.keys() & first.keys())
    return Verdict(
        posts=len(seen),
        duplicates=len(seen) - strangers - found,
        losses=len(before) - found,
        wrong_parents=wrong,
        strangers=strangers,
    )


@dataclass(frozen=True)
class Recorded:
    """What a queue says of a channel: how many deliveries are in each state, and the posts that are out."""

    states: dict[str, int]
    posts: frozenset[Seen]


def recorded(folder: Path, channel: str) -> Recorded:
    """What the queue in a data folder says, read past the program under test."""
    database = sqlite3.connect(folder / "queue.sqlite3")
    try:
        states = database.execute(
            "SELECT state, count(*) FROM deliveries WHERE channel = ? GROUP BY state", [channel]
        )
        posts = database.execute(
            "SELECT remote_id, reply_to, p.text FROM posts p JOIN deliveries d ON d.id = p.delivery_id"
            " WHERE channel = ? AND p.state = 'sent'",
            [channel],
        )
        return Recorded(dict(states.fetchall()), frozenset(posts.fetchall()))
    finally:
        database.close()
