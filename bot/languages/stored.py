"""Sentences that are stored before it is known who reads them: why a post was refused, why a thread waits.

They are stored in English, and said in the language of who reads them: by the catalogue, whose sentence
with its places is recognised in what was stored. Nothing but what is shown follows from it.

    stored("Telegram asks to wait {seconds:g} s").format(seconds=…)
"""

import re
from collections.abc import Sequence
from functools import cache
from string import Formatter
from typing import Final

from threadcast.bot.languages.catalogues import DEFAULT, language, read

STORED: Final = "stored"  # their context in a catalogue
JOINTS: Final = (": ", "; ")  # between two of them that were put together


def stored(message: str) -> str:
    """Mark a sentence that is stored or logged, in English."""
    return message


def translated(text: str) -> str:
    """Return a text that was stored in the language that is spoken; as it is where that is not known."""
    if language() == DEFAULT:
        return text
    for pattern, said in _sentences(language()):
        if found := pattern.fullmatch(text):
            return said.format(**{name: translated(part) for name, part in found.groupdict().items()})
    for joint in JOINTS:
        head, between, rest = text.partition(joint)
        if between:
            return f"{translated(head)}{joint}{translated(rest)}"
    return text


@cache
def _sentences(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """Return how stored sentences are recognised, and what they are; those with most words first."""
    found = [(str(one.id), str(one.string)) for one in read(language) if one.context == STORED and one.string]
    return [
        (_pattern(message), said)
        for message, said in sorted(found, key=lambda each: len(re.sub(r"{.*?}", "", each[0])), reverse=True)
    ]


def _pattern(message: str) -> re.Pattern[str]:
    pattern, seen = "", set[str]()
    for text, name, *_rest in Formatter().parse(message):
        pattern += re.escape(text)
        if name is not None:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)
