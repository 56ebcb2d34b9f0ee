"""English in another alphabet, as a language: what is said in it came through the catalogues.

Its letters are the full-width ones, which can be told from ours and turned back into them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from string import ascii_letters

import pytest

from threadcast.bot.languages import catalogues, dates

LANGUAGE = "de"  # whose place it takes
WIDE = 0xFEE0  # how far a full-width letter is from ours
_THERE = {ord(letter): ord(letter) + WIDE for letter in ascii_letters}
_BACK = {there: here for here, there in _THERE.items()}
# Places, tags, commands, addresses and settings are no words of a language.
_STAYS = re.compile(
    r"({(?:[^{}]|{[^{}]*})*}|</?[a-z]+>|(?<![\w.:/])/[a-z]+\b|https?:\S+|THREADCAST\w+|threadcast \w+)"
)


def wide(message: str) -> str:
    """A sentence in the other alphabet."""
    pieces = _STAYS.split(message)
    return "".join(each if place % 2 else each.translate(_THERE) for place, each in enumerate(pieces))


def narrow(text: str) -> str:
    """The same in English again."""
    return text.translate(_BACK)


class _Wide(NullTranslations):
    def gettext(self, message: str) -> str:
        return wide(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return wide(msgid1 if n == 1 else msgid2)


def _catalogue(language: str) -> NullTranslations:
    return _Wide() if language == LANGUAGE else NullTranslations()


@contextmanager
def spoken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the other alphabet be the language of LANGUAGE; dates stay as they are in English."""
    with monkeypatch.context() as patched:
        patched.setattr(catalogues, "_catalogue", _catalogue)
        patched.setattr(dates, "language", lambda: catalogues.DEFAULT)
        yield
