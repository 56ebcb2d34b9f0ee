"""Two languages that nobody speaks, made of English where it is looked up: they show what does not fit.

`LONGER` is a third longer, with accents; `LEFTWARDS` is written from right to left. Babel takes them for
languages that it knows, so that their days and numbers are not English either.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from itertools import islice

import pytest

from tests.bot.languages.test_translations import WHAT_STAYS
from threadcast.bot.languages import catalogues

LONGER, LEFTWARDS = "fi", "he"
PSEUDO = (LONGER, LEFTWARDS)
STAYS = re.compile(rf"(\{{[^}}]*\}}*|{WHAT_STAYS.pattern})")
LATIN = "abcdefghijklmnopqrstuvwxyz"
ACCENTS = str.maketrans("aeiouncs", "àéîöüñçš")
HEBREW = str.maketrans(LATIN + LATIN.upper(), "אבגדהוזחטיכלמנסעפצקרשתאבגד" * 2)


def longer(message: str) -> str:
    """A sentence with accents, and a third more of it in words that can be broken between."""
    accented = _changed(message, lambda text: text.translate(ACCENTS))
    if max(map(len, message.split())) < 3:  # the days of a week, which are apart
        return accented
    more = "".join(islice(_more(), -(-len(message) // 3)))
    return f"{accented} {more.strip() or 'ẋ'}"


def leftwards(message: str) -> str:
    return _changed(message, lambda text: text.translate(HEBREW))


def _more() -> Iterator[str]:
    while True:
        yield from "ẋẋẋẋẋ "


def _changed(message: str, change: Callable[[str], str]) -> str:
    """A sentence with all of it changed but places, tags, commands and settings."""
    return "".join(text if STAYS.fullmatch(text) else change(text) for text in _between(message))


def _between(message: str) -> Iterator[str]:
    end = 0
    for found in STAYS.finditer(message):
        yield message[end : found.start()]
        yield found[0]
        end = found.end()
    yield message[end:]


class _Pseudo(NullTranslations):
    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self._change = change

    def gettext(self, message: str) -> str:
        return self._change(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._change(msgid1 if n == 1 else msgid2)


@contextmanager
def spoken() -> Iterator[None]:
    """Let these be languages as the others are."""
    known, made = catalogues._catalogue, {LONGER: _Pseudo(longer), LEFTWARDS: _Pseudo(leftwards)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogues, "LANGUAGES", (*catalogues.LANGUAGES, *PSEUDO))
        patched.setattr(catalogues, "_catalogue", lambda language: made.get(language) or known(language))
        yield
