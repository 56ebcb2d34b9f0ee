"""Days and times in other languages, put in the English that `words` reads. Pure.

`words.toml` has how people write them. English is never changed: who writes it in another language is
read as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ENGLISH: Final = {"", "en"}
_ALONE: Final = r"(?<!\w)(?:{})(?!\w)"  # a word, and no part of one


@dataclass(frozen=True, slots=True)
class _Table:
    """The words of a language: patterns that are replaced one by one, then words by what they mean."""

    clock: tuple[tuple[re.Pattern[str], str], ...]
    words: re.Pattern[str]
    meant: Mapping[str, str]

    def english(self, text: str) -> str:
        for pattern, replacement in self.clock:
            text = pattern.sub(replacement, text)
        return " ".join(self.words.sub(lambda found: self.meant[found[1]], text).split())


@cache
def _tables() -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415  # few words need it
    from importlib import resources  # noqa: PLC0415

    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


@cache
def _table(language: str) -> _Table | None:
    given = None if language in ENGLISH else _tables().get(language)
    if given is None:
        return None
    meant = {
        form: name
        for names, lines in ((MONTHS, given["months"]), (WEEKDAYS, given["weekdays"]))
        for name, line in zip(names, lines, strict=True)
        for form in line.split()
    } | given["phrases"]
    longest = sorted(meant, key=len, reverse=True)
    return _Table(
        tuple((re.compile(_ALONE.format(pattern)), instead) for pattern, instead in given["clock"]),
        re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest))})(?!\w)\.?"),
        meant,
    )


def in_english(text: str, language: str) -> str:
    """Return words in lower case with those of the language in English; the same where it has no table."""
    table = _table(language)
    return table.english(text.replace("’", "'")) if table else text
