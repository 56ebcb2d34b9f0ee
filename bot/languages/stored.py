"""Sentences that are stored before it is known who reads them: why a post was refused, why a thread waits.

They are stored in English, and said in the language of who reads them: by the catalogue, whose sentence
with its places is recognised in what was stored. Nothing but what is shown follows from it.

    stored("Telegram asks to wait {seconds:g} s").format(seconds=…)

What a channel or the publisher finds needs no mark: `make messages` knows where that is said.
"""

import re
from collections.abc import Sequence
from functools import cache
from string import Formatter
from typing import Final

from threadcast.bot.languages.catalogues import DEFAULT, _, language, ngettext, pgettext, read

STORED: Final = "stored"  # their context in a catalogue
# Notices are stored too, why a time cannot be read, and what is wrong with a file.
WORDING: Final = ("bot/wording.py", "bot/noticed.py", "bot/settled.py", "bot/media/")
JOINTS: Final = re.compile(": |; ")  # between two of them that were put together
FEW: Final = 4  # letters; with fewer, a sentence would be recognised everywhere


def stored(message: str) -> str:
    """Mark a sentence that is stored or logged, in English."""
    return message


def translated(text: str) -> str:
    """Return a text that was stored in the language that is spoken; as it is where that is not known."""
    if language() == DEFAULT or not text:
        return text
    for pattern, ids, context in _sentences(language()):
        if found := pattern.fullmatch(text):
            named = found.groupdict()
            number = named.get("n", "")
            if len(ids) > 1 and number.isdecimal():
                said = ngettext(ids[0], ids[1], int(number))
            else:
                said = pgettext(context, ids[0]) if context else _(ids[0])
            return said.format(**{name: translated(part) for name, part in named.items()})
    # Put together of two: where the first is known, or else at the first place that may be it.
    places = [(found.start(), found.end()) for found in JOINTS.finditer(text)]
    for end, start in places:
        if (head := translated(text[:end])) != text[:end]:
            return f"{head}{text[end:start]}{translated(text[start:])}"
    if places:
        end, start = places[0]
        return f"{text[:start]}{translated(text[start:])}"
    return text


@cache
def _sentences(language: str) -> Sequence[tuple[re.Pattern[str], tuple[str, ...], str]]:
    """Return how stored sentences are recognised, and which they are; those with most words first."""
    found: list[tuple[str, tuple[str, ...], str]] = []
    for one in read(language):
        ids = (one.id,) if isinstance(one.id, str) else tuple(one.id)
        if one.context == STORED or any(place.startswith(WORDING) for place, _line in one.locations):
            found += [
                (each, ids, one.context or "") for each in ids if sum(map(str.isalpha, _words(each))) >= FEW
            ]
    found.sort(key=lambda each: len(_words(each[0])), reverse=True)
    return [(_pattern(each), ids, context) for each, ids, context in found]


def _words(message: str) -> str:
    return "".join(text for text, *_place in Formatter().parse(message))


def _pattern(message: str) -> re.Pattern[str]:
    pattern, seen = "", set[str]()
    for text, name, *_form in Formatter().parse(message):
        pattern += re.escape(text)
        if name is not None:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)
