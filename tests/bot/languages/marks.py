"""English with marks in it, as a language: what is said in it came through the catalogues.

The marks say which sentence it is, and what stands in its places. So the same can be said in every language,
as the bot would have said it there.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from gettext import NullTranslations
from html import unescape
from string import Formatter

import pytest

from tests.servers.telegram import calls
from threadcast.bot import wording
from threadcast.bot.chat import outbox
from threadcast.bot.chat.views import calendar
from threadcast.bot.languages import catalogues, dates, speaking

# The first is a letter, so that it tells where a sentence was made to begin with a capital.
BEGIN, END, OPEN, CLOSE = "ⴀ⟧⟨⟩"
BASE, DIGITS = 256, 0x2800  # Braille
MARK = re.compile(f"([{BEGIN}{BEGIN.upper()}][\u2800-\u28ff]{{2}}|{END}|{OPEN}[\u2800-\u28ff]|{CLOSE})")
TAG = re.compile(r"</?[a-z]+>")
APART = "] ["  # what is between the labels of buttons that are one sentence

# A language and what stands in the places, by their number; the English text as it was said.
Say = Callable[[str, Mapping[int, str]], str]
_SAID: list[tuple[str, Say]] = []


@cache
def _number(english: str, key: tuple[object, ...], say: Callable[..., Say]) -> str:
    _SAID.append((english, say(*key)))
    number = len(_SAID) - 1
    return chr(DIGITS + number // BASE) + chr(DIGITS + number % BASE)


def _places(message: str) -> list[tuple[str, str]]:
    return [(name, spec or "") for _text, name, spec, _how in Formatter().parse(message) if name is not None]


def _marked(message: str, one: str, many: str, number: int) -> str:
    text, place = BEGIN + _number(message, (message, one, many, number), _sentence), 0
    for words, name, spec, how in Formatter().parse(message):
        text += words.replace("{", "{{").replace("}", "}}")
        if name is not None:
            shown = f"{{{name}{f'!{how}' if how else ''}{f':{spec}' if spec else ''}}}"
            text += OPEN + chr(DIGITS + place) + shown + CLOSE
            place += 1
    return text + END


def _sentence(message: str, one: str, many: str, number: int) -> Say:
    """How a sentence is said that was said with this number."""
    known = _places(message)

    def say(language: str, places: Mapping[int, str]) -> str:
        catalogue = catalogues._catalogue(language)
        found = catalogue.ngettext(one, many, number) if many else catalogue.gettext(one)
        said = ""
        for words, name, spec, _how in Formatter().parse(found):
            said += unescape(TAG.sub("", words))
            if name is not None:
                there = [place for place, each in enumerate(known) if each == (name, spec or "")]
                there += [place for place, each in enumerate(known) if each[0] == name]
                said += places[there[0]] if there else format(number, spec or "")
        return said

    return say


class _Marks(NullTranslations):
    def gettext(self, message: str) -> str:
        return _marked(message, message, "", 0)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _marked(msgid1 if n == 1 else msgid2, msgid1, msgid2, n)


def _day(write: Callable[..., str]) -> Callable[..., str]:
    def of(*words: object) -> Say:
        def say(language: str, _places: Mapping[int, str]) -> str:
            with speaking(language):
                return write(*words)

        return say

    def written(day: date, *words: str) -> str:
        english = write(day, *words)
        return BEGIN + _number(english, (day, *words), of) + english + END

    return written


@contextmanager
def marked() -> Iterator[None]:
    """Let English with marks be what is spoken, whoever is spoken to."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogues, "_catalogue", lambda _: _Marks())
        patched.setattr(wording, "written", WRITTEN)
        patched.setattr(calendar, "written", WRITTEN)
        patched.setattr(wording, "weekday", WEEKDAY)
        # The answer to a button is as long as it likes: with marks it is longer than it will be.
        patched.setattr(outbox, "TOAST", sys.maxsize)
        patched.setattr(calls, "LONGEST_ANSWER", sys.maxsize)
        yield


WRITTEN, WEEKDAY = _day(dates.written), _day(dates.weekday)


@dataclass
class _Open:
    """A sentence, or a place in one, that is being read: what it is in English, and what it becomes."""

    mark: str
    english: str = ""
    said: str = ""
    places: dict[int, str] = field(default_factory=dict)


def english(text: str) -> str:
    """What was said, without the marks."""
    return _read(text)[0]


def in_language(text: str, language: str) -> str:
    """The same as it is said in a language."""
    return _read(text, lambda say, places: say(language, places))[1]


def unmarked(text: str) -> str:
    """What of it came through no catalogue."""
    return _read(text, lambda _say, places: " · ".join(["", *places.values(), ""]))[1]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _read(
    text: str, said: Callable[[Say, Mapping[int, str]], str] = lambda _say, _places: ""
) -> tuple[str, str]:
    """What was said in English, and what `said` makes of each sentence in it."""
    opened = [_Open("")]
    for each in MARK.split(text):
        if each[:1] in {BEGIN, BEGIN.upper(), OPEN} and MARK.fullmatch(each):
            opened.append(_Open(each))
        elif each in {END, CLOSE}:
            if len(opened) == 1:  # of what was taken apart
                continue
            done = opened.pop()
            if done.mark[0] == BEGIN.upper():
                done.english = _capital(done.english)
            opened[-1].english += done.english
            if each == CLOSE:
                opened[-1].places[ord(done.mark[1]) - DIGITS] = done.said
                continue
            source, say = _SAID[(ord(done.mark[1]) - DIGITS) * BASE + ord(done.mark[2]) - DIGITS]
            became = said(say, done.places)
            lower = done.english == source.lower() != source
            if APART in done.english and done.english.replace(APART, " ") == source:
                became = became.replace(" ", APART)
            became = _capital(became) if done.mark[0] == BEGIN.upper() else became
            opened[-1].said += became.lower() if lower else became
        else:
            opened[-1].english += each
            opened[-1].said += each
    return "".join(each.english for each in opened), "".join(each.said for each in opened)
