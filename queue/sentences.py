"""Sentences as data: a message with named places, and what stands in them.

So a reason can be stored before it is known who reads it, and is said in the reader's language then.
"""

import json
from collections.abc import Callable
from typing import Any, Self

Fact = str | int | float


class Sentence(str):
    """A sentence that knows what it is made of; everywhere else it is its English text.

    `says` is the message of the catalogues, `about` what stands in its places, sentences among it; where
    there is `many`, that is its form for every number `n` but one. `str()` keeps it what it is, that of an
    error made of it too; anything that cuts it or puts it into another text makes it plain text.
    """

    __slots__ = ("about", "many", "says")

    says: str
    many: str
    about: dict[str, Fact]

    def __new__(cls, says: str, many: str = "", /, **about: object) -> Self:
        known: dict[str, Fact] = {
            name: one if isinstance(one, str | int | float) else str(one) for name, one in about.items()
        }
        sentence = super().__new__(cls, (many if many and known["n"] != 1 else says).format(**known))
        sentence.says, sentence.many, sentence.about = says, many, known
        return sentence

    def __str__(self) -> str:
        return self

    def said(self, one: Callable[[str], str], several: Callable[[str, str, int], str]) -> str:
        """Return the sentence in the language of gettext's two functions."""
        says = several(self.says, self.many, int(self.about["n"])) if self.many else one(self.says)
        return says.format(
            **{
                name: each.said(one, several) if isinstance(each, Sentence) else each
                for name, each in self.about.items()
            }
        )


def to_json(text: str) -> str:
    """Return a sentence, or text that is none, as it is stored; empty where it is."""
    return json.dumps(_data(text), ensure_ascii=False) if text else ""


def from_json(stored: str) -> str:
    """Return what `to_json` was given."""
    return str(_value(json.loads(stored))) if stored else ""


def _data(one: Fact) -> Any:
    if not isinstance(one, Sentence):
        return one
    about = {name: _data(each) for name, each in one.about.items()}
    return {"says": one.says, "about": about} | ({"many": one.many} if one.many else {})


def _value(data: Any) -> Fact:
    if not isinstance(data, dict):
        return data  # type: ignore[no-any-return]  # JSON has no other that `_data` writes
    about = {name: _value(each) for name, each in data["about"].items()}
    return Sentence(data["says"], data.get("many", ""), **about)
