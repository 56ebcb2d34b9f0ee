"""What an author settles for one thread, before those of its channels. Frozen values, checked."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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
_Line = Annotated[str, AfterValidator(_line)]
_Visibility = Annotated[Literal["public", "unlisted", "private", "direct"], _AnyCase]


class ThreadSettings(BaseModel):
    """The settings of one thread; None: as its channels have it. Each says what is expected of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    title: Annotated[_Line, AfterValidator(_filled)] | None = Field(
        None, description=f"a line of text, at most {LONGEST_LINE} characters"
    )
    warning: _Line | None = Field(None, description=f"a line of text, at most {LONGEST_LINE} characters")
    sensitive: bool | None = Field(None, description="true or false")
    language: Annotated[str, AfterValidator(_language)] | None = Field(
        None, description="a language code such as en, de or pt-BR"
    )
    visibility: _Visibility | None = Field(None, description="public, unlisted, private or direct")
    reply_visibility: _Visibility | None = Field(None, description="public, unlisted, private or direct")
    quotes: Annotated[Literal["public", "followers", "nobody"], _AnyCase] | None = Field(
        None, description="public, followers or nobody"
    )
    channels: Annotated[tuple[str, ...], BeforeValidator(_names)] | None = Field(
        None, description="names of channels, with commas between them"
    )
    at: Annotated[_Line, AfterValidator(_filled)] | None = Field(
        None, description="a time: fri 18:30, in 2h, 2026-12-24T18:30"
    )
    numbering: Annotated[Literal["keep", "renumber", "total", "none"], _AnyCase] | None = Field(
        None, description="keep, renumber, total or none"
    )
    silent: bool | None = Field(None, description="true or false")
    previews: (
        Annotated[
            Literal["first", "all", "none"],
            _each(lambda text: _ON_OFF.get(text.strip().lower(), text.strip().lower())),
        ]
        | None
    ) = Field(None, description="first, all or none")
    hold: bool | None = Field(None, description="true or false")

    def given(self) -> dict[str, Any]:
        """Return what is settled, by name."""
        return self.model_dump(exclude_none=True)


_VISIBILITIES = ("public", "unlisted", "private", "direct")
CHOICES = {
    "sensitive": ("true", "false"),
    "visibility": _VISIBILITIES,
    "reply_visibility": _VISIBILITIES,
    "quotes": ("public", "followers", "nobody"),
    "numbering": ("keep", "renumber", "total", "none"),
    "silent": ("true", "false"),
    "previews": ("first", "all", "none"),
}
NO_SETTINGS = ThreadSettings()
NAMES = tuple(ThreadSettings.model_fields)


def expected(name: str) -> str:
    """Return what is expected of a setting, in words."""
    return ThreadSettings.model_fields[name].description or ""
