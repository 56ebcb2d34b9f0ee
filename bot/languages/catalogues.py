"""What is said in a language: gettext's functions, on the catalogues in `po/`, for who is being answered.

Sentences stand in the code in English and whole, with named places, and nothing is put in before they were
looked up:

    _("Send me {name}.").format(name=…)
    ngettext("{n} post", "{n} posts", n).format(n=n)
    @command("hold", help=N_("Keep it back"))    # looked up when it is shown
    translated(Sentence("{n} post", "{n} posts", n=3))    # made before it is known for whom

`make messages` puts new ones into every catalogue. Babel reads those, and is imported only where somebody
does not speak English.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations, c2py
from typing import TYPE_CHECKING, Final, TypeVar

from threadcast.queue.sentences import Sentence

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

DEFAULT: Final = "en"  # the language of the sentences in the code
LANGUAGES: Final = (DEFAULT, "de", "es", "fr", "ru", "uk")

# A language, its country aside, and how much it is liked:
# https://www.rfc-editor.org/rfc/rfc9110#field.accept-language
_LIKED: Final = re.compile(r"([a-z]+)(?:-[a-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)

T = TypeVar("T")

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)


def language_of(code: str | None) -> str:
    """Return the language for `de-AT` or `de_AT.UTF-8`: `de`; English where there is no catalogue."""
    found = (code or "").replace("_", "-").partition("-")[0].lower()
    return found if found in LANGUAGES else DEFAULT


def preferred(accepted: str) -> str:
    """Return the language that a browser likes best of those we have, by its Accept-Language."""
    best, most = DEFAULT, 0.0
    for one in accepted.split(","):
        found = _LIKED.fullmatch(one.strip())
        if found and found[1].lower() in LANGUAGES and (liked := float(found[2] or 1)) > most:
            best, most = found[1].lower(), liked
    return best


def asked_by(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal: THREADCAST_LANGUAGE, or what POSIX has; C is English."""
    names = ("THREADCAST_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return language_of(next(filter(None, map(environment.get, names)), None))


def language() -> str:
    """Return the language that is spoken here."""
    return _language.get()


def direction() -> str:
    """Return how the language that is spoken here is written: `ltr` or `rtl`."""
    if language() == DEFAULT:
        return "ltr"
    from babel import Locale  # noqa: PLC0415  # see `read`

    return Locale.parse(language()).text_direction


def speak(language: str) -> None:
    """Speak one of LANGUAGES to the end of what surrounds this: a block, a task or the program."""
    _language.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak one of LANGUAGES in this block, and in every task and thread that is begun in it."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def bound(say: Callable[[], T]) -> Callable[[], T]:
    """Return the same, in the language that is spoken here, wherever it is called."""
    spoken = language()

    def said() -> T:
        with speaking(spoken):
            return say()

    return said


def _(message: str) -> str:
    """Return a sentence in the language that is spoken here."""
    return _catalogue(_language.get()).gettext(message) if message else ""  # which is where a header is


def ngettext(one: str, many: str, number: int) -> str:
    """Return a sentence in the form that goes with a number."""
    return _catalogue(_language.get()).ngettext(one, many, number)


def translated(text: str) -> str:
    """Return a sentence that is data in the language that is spoken here; other text as it is."""
    return text.said(_, ngettext) if isinstance(text, Sentence) else text


def N_(message: str) -> str:  # noqa: N802  # gettext's name for it
    """Mark a sentence that is looked up later, when it is shown."""
    return message


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == DEFAULT:
        return NullTranslations()
    return _Catalogue(read(language))


class _Catalogue(GNUTranslations):
    """gettext's own, out of a catalogue as it is written: to compile it first takes as long as to read it."""

    def __init__(self, catalog: "Catalog") -> None:
        super().__init__()
        self.plural = c2py(catalog.plural_expr)
        self._catalog = dict(_forms(catalog))


def _forms(catalog: "Catalog") -> Iterator[tuple[str | tuple[str, int], str]]:
    """The sentences as gettext looks them up, those with a number by the form that goes with it."""
    for message in catalog:
        said = message.string  # by form where it has a number
        if message.fuzzy or not message.id or not said:  # the header has no words
            continue
        if isinstance(said, str):
            yield str(message.id), said
        else:
            yield from (((message.id[0], form), text) for form, text in enumerate(said) if text)


def read(language: str) -> "Catalog":
    """Return a catalogue as it is written."""
    # Most of a service's life, and every command in English, goes without Babel.
    from importlib import resources  # noqa: PLC0415  # see above

    from babel.messages.pofile import read_po  # noqa: PLC0415

    with resources.files(__package__).joinpath("po", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)
