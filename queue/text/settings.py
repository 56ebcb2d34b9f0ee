"""What an author settles for one thread, before those of its channels. Frozen values, checked."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from threadcast.queue.sentences import Sentence

LONGEST_LINE = 200  # code points; of a title or a warning
LONGEST_LIST = 1000  # names of channels

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_ON_OFF = {"on": "all", "off": "none", "true": "all", "false": "none", "yes": "all", "no": "none"}


def _line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > LONGEST_LINE or not line.isprintable():
        raise ValueError("no line of text")
    return line


def _filled(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("no language code")
    return text


def _names(given: Any) -> Any:
    """Names of channels in a list, or with commas or blanks between them."""
    names = given if isinstance(given, (list, tuple)) else str(given).replace(",", " ").split()
    found = tuple(dict.fromkeys(str(name).strip().lower() for name in names))
    if not found or len(found) > LONGEST_LIST or not all(found):
        raise ValueError("no names")
    return found


def _each(change: Callable[[str], str]) -> BeforeValidator:
    return BeforeValidator(lambda given: change(given) if isinstance(given, str) else given)


_AnyCase = _each(lambda text: text.strip().lower())
_OnOff = _each(lambda text: _ON_OFF.get(text.strip().lower(), text.strip().lower()))
_Line = Annotated[str, AfterValidator(_line)]
Visibility = Literal["public", "unlisted", "private", "direct"]
Quotes = Literal["public", "followers", "nobody"]
Numbering = Literal["keep", "renumber", "total", "none"]
Previews = Literal["first", "all", "none"]

# What those may be that are one of a few words.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "sensitive": ("true", "false"),
    "visibility": get_args(Visibility),
    "reply_visibility": get_args(Visibility),
    "quotes": get_args(Quotes),
    "numbering": get_args(Numbering),
    "silent": ("true", "false"),
    "previews": get_args(Previews),
    "hold": ("true", "false"),
}


_EXPECTED: Mapping[str, str] = {
    "title": Sentence("a line of text, at most {n} characters", n=LONGEST_LINE),
    "warning": Sentence("a line of text, at most {n} characters", n=LONGEST_LINE),
    "language": Sentence("a language code such as en, de or pt-BR"),
    "channels": Sentence("names of channels, with commas between them"),
    "at": Sentence("a time: fri 18:30, in 2h, 2026-12-24T18:30"),
}


class ThreadSettings(BaseModel):
    """The settings of one thread; None: as its channels have it. `expected` says what each may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    title: Annotated[_Line, AfterValidator(_filled)] | None = None
    warning: _Line | None = None
    sensitive: bool | None = None
    language: Annotated[str, AfterValidator(_language)] | None = None
    visibility: Annotated[Visibility, _AnyCase] | None = None
    reply_visibility: Annotated[Visibility, _AnyCase] | None = None
    quotes: Annotated[Quotes, _AnyCase] | None = None
    channels: Annotated[tuple[str, ...], BeforeValidator(_names)] | None = None
    at: Annotated[_Line, AfterValidator(_filled)] | None = None
    numbering: Annotated[Numbering, _AnyCase] | None = None
    silent: bool | None = None
    previews: (
        Annotated[Previews, _each(lambda text: _ON_OFF.get(text.strip().lower(), text.strip().lower()))]
        | None
    ) = None
    hold: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return what is settled, by name."""
        return self.model_dump(exclude_none=True)


NO_SETTINGS = ThreadSettings()
NAMES = tuple(ThreadSettings.model_fields)


def expected(name: str) -> str:
    """Return what is expected of a setting, in words."""
    if name in CHOICES:
        *most, last = CHOICES[name]
        return Sentence("{most} or {last}", most=", ".join(most), last=last)
    return _EXPECTED[name]
