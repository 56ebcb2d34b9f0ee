"""What is written below a file is read as it is meant, or not at all."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import BERLIN, NOW
from threadcast.bot.chat.requests.wishes import Wish, read_wish
from threadcast.bot.languages import speaking

NAMES = ("news", "page")
CASES: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("wishes_cases.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("text", CASES)
def test_a_wish(text: str) -> None:
    """Each is read as the table has it: channels, a time in Berlin, a word, or what cannot be read."""
    one = read_wish(text, NAMES, NOW, BERLIN)
    read: dict[str, Any] = {
        "channels": list(one.channels),
        "at": one.at and f"{one.at.astimezone(BERLIN):%Y-%m-%d %H:%M}",
        "hold": one.hold,
        "odd": one.odd,
        "is_name": one.is_name,
        "refused": bool(one.refused),
    }
    assert {name: value for name, value in read.items() if value} == CASES[text]


@pytest.mark.parametrize(
    ("language", "everywhere", "now", "hold", "to_page"),
    [
        ("de", "beide", "jetzt", "halten", "morgen 9 Uhr auf page"),
        ("es", "ambos", "ahora", "retener", "mañana a las 9 para page"),
        ("fr", "les deux", "maintenant", "retenir", "demain à 9h sur page"),
        ("ru", "оба", "сейчас", "придержать", "завтра в 9 на page"),
        ("uk", "обидва", "зараз", "притримати", "завтра о 9 на page"),
    ],
)
def test_a_wish_in_another_language(
    language: str, everywhere: str, now: str, hold: str, to_page: str
) -> None:
    """The words of the language are read, times among them, and those of English as well."""
    with speaking(language):
        for text in (f"{everywhere} {now}", "both now", f"{now.capitalize()}, {everywhere}"):
            assert read_wish(text, NAMES, NOW, BERLIN) == Wish(at=NOW), text
        for text in (hold, "hold", f"{hold} {everywhere}"):
            assert read_wish(text, NAMES, NOW, BERLIN) == Wish(hold=True), text
        for text in (to_page, "tomorrow 9 to page"):
            one = read_wish(text, NAMES, NOW, BERLIN)
            assert (one.channels, one.odd) == (("page",), ""), text
            assert one.at == read_wish("tomorrow 9", NAMES, NOW, BERLIN).at


@given(st.text(max_size=60))
def test_any_text_is_a_wish(text: str) -> None:
    """Whatever is written, it names channels there are, and a time to come."""
    one = read_wish(text, NAMES, NOW, BERLIN)
    assert set(one.channels) <= set(NAMES)
    assert one.at is None or isinstance(one.at, datetime)
    assert not (one.is_name and one.refused)
