"""Sentences in the language of who reads them: `from threadcast.bot.languages import _, ngettext`."""

from threadcast.bot.languages.catalogues import (
    DEFAULT,
    LANGUAGES,
    N_,
    _,
    asked_by,
    bound,
    direction,
    language,
    language_of,
    ngettext,
    preferred,
    speak,
    speaking,
    translated,
)

__all__ = [
    "DEFAULT",
    "LANGUAGES",
    "N_",
    "_",
    "asked_by",
    "bound",
    "direction",
    "language",
    "language_of",
    "ngettext",
    "preferred",
    "speak",
    "speaking",
    "translated",
]
