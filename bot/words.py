"""What people type that is no command of ours, and which they may mean: one table for chat and shell.

Words of other programs, of other services, of plain English. Each face takes those commands that it has.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

SHELL: Final = "shell"  # what is meant there, where that is something else

# What changes nothing, and is shown at once where a word can mean nothing else.
LOOKING: Final = frozenset(
    {
        *("audit", "channels", "check", "config", "events", "history", "logs"),
        *("preview", "queue", "show", "status"),
    }
)


def other_words(commands: Collection[str], face: str = "") -> Mapping[str, Sequence[str]]:
    """Return the words that are none of these commands, each with those that it may mean, likeliest first."""
    table = _table()
    given = {**table, **(table[face] if face else {})}
    meant = {
        word: [one for one in many if one in commands]
        for word, many in given.items()
        if isinstance(many, list) and word not in commands
    }
    return {word: many for word, many in meant.items() if many}


def only_looks(meant: Sequence[str]) -> bool:
    """Whether whatever of these is meant changes nothing: what publishes or deletes is typed by its name."""
    return bool(meant) and LOOKING.issuperset(meant)


@cache
def _table() -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415  # few words need it
    from importlib import resources  # noqa: PLC0415

    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
