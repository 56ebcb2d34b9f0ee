"""What a variable is: its name, what it means, what it takes. The models say it once, beside each field.

From here come the reference of settings, `example.env`, the errors at start and the search for misspelt
names.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

PREFIX = "THREADCAST_"
DELIMITER = "__"

# Stands in the name of a channel's variable where the owner's name for the channel goes.
PLACE = "<NAME>"

# Low enough for a word left out of a long name, high enough not to suggest what is unlike.
_LIKENESS = 0.7

Nearest = Callable[[str], str | None]


def nearest(word: str, known: Iterable[str], *, likeness: float = _LIKENESS) -> str | None:
    """Return the known word most like this one; None where none is like it (1 is the same)."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Doc:
    """What a field means to an owner; stands in the field's annotation.

    `expected` ends the sentence "expected …". `default` is told where the field's own default does not
    tell it. `nearest` gives the right value that a wrong one is like. Where a field takes one of some words,
    or true or false, its type says what is expected, and what is nearest.
    """

    meaning: str
    expected: str
    example: str
    default: str | None = None
    nearest: Nearest | None = None

    @classmethod
    def choice(cls, meaning: str, example: str) -> Self:
        """Return the doc of a field whose type says what it takes."""
        return cls(meaning, "", example)


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, as its owner sees it.

    `name` holds PLACE where a channel's name goes. `default` is empty where there is none, and
    `required` where a channel cannot be without it. `group` is the heading it stands under.
    """

    name: str
    meaning: str
    expected: str
    example: str
    default: str
    secret: bool
    group: str
    nearest: Nearest | None = None


def variables_of(model: type[BaseModel], *, prefix: str, group: str) -> Iterator[Variable]:
    """Return the variables of a model's documented fields, in their order."""
    for field, info in model.model_fields.items():
        for doc in info.metadata:
            if isinstance(doc, Doc):
                each = [word for one in get_args(info.annotation) for word in (one, *get_args(one))]
                words = [word for word in each if isinstance(word, str)]  # of a Literal, or of one or None
                yield Variable(
                    name=prefix + field.upper(),
                    meaning=doc.meaning,
                    expected=doc.expected or _either(words or ["true", "false"]),
                    example=doc.example,
                    default=_default(info) if doc.default is None else doc.default,
                    secret=_is_secret(info.annotation),
                    group=group,
                    nearest=doc.nearest or (partial(nearest, known=words) if words else None),
                )


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if isinstance(info.default, bool):
        return str(info.default).lower()
    return str(info.default or "")
