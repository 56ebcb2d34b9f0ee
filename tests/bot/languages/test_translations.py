"""Every language is whole: no sentence left out, no place, tag or command lost, every plural form there."""

import re
from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message

from tests.bot.languages.messages import TABLE, catalogue, forms, missing, table, template
from threadcast.bot.chat.requests import REGISTRY
from threadcast.bot.languages import DEFAULT, LANGUAGES

TEMPLATE = template()
OTHERS = [language for language in LANGUAGES if language != DEFAULT]
WHAT_STAYS = re.compile(r"</?[a-z]+>|(?<![\w.:/])/[a-z]+\b|THREADCAST_[A-Z_]+|\n|https?:|threadcast [a-z]+")


def ids(catalogue: Catalog) -> set[str | tuple[str, ...]]:
    return {one.id if isinstance(one.id, str) else tuple(one.id) for one in catalogue if one.id}


def pairs(one: Message) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each form of a translation, with the English ones."""
    english = (one.id,) if isinstance(one.id, str) else tuple(one.id)
    yield from ((english, said) for said in forms(one))


def places(text: str) -> set[str]:
    return {
        f"{name}:{form}" if name == "run" else name for _, name, form, _ in Formatter().parse(text) if name
    }


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_out(language: str) -> None:
    """A catalogue has what the code says, all of it and nothing else: else `make messages`."""
    ours = catalogue(language)
    assert ids(ours) == ids(TEMPLATE)
    assert missing(ours) == []
    assert [one.id for one in ours if one.fuzzy and one.id] == []


def test_the_table_of_languages() -> None:
    """The documentation says how many sentences each language has: `make messages` writes it."""
    assert "\n".join(table()) in TABLE.read_text("utf-8")


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_of_a_sentence_is_lost(language: str) -> None:
    """A translation has the same places, tags, commands, settings and lines as its sentence."""
    for one in catalogue(language):
        for english, said in pairs(one) if one.id else ():
            every = set.union(*map(places, english))
            always = set.intersection(*map(places, english))
            assert always <= places(said) <= every, said
            assert sorted(WHAT_STAYS.findall(said)) == sorted(WHAT_STAYS.findall(english[-1])), said
            assert said == said.strip(), said


@pytest.mark.parametrize("language", OTHERS)
def test_every_plural_form_is_there(language: str) -> None:
    """Where a number decides, there is a form for each number that the language knows."""
    ours = catalogue(language)
    plurals = [one for one in ours if not isinstance(one.id, str)]
    assert plurals
    assert {len(forms(one)) for one in plurals} == {ours.num_plurals}


@pytest.mark.parametrize("language", OTHERS)
def test_buttons_are_told_apart(language: str) -> None:
    """No two buttons of a card have one label."""
    ours = catalogue(language)
    cards = [
        one for one in ours if one.id and any(path == "bot/chat/views/cards.py" for path, _ in one.locations)
    ]
    labels = [str(one.string) for one in cards if isinstance(one.id, str) and one.id[:1].isupper()]
    assert len(labels) > 20
    assert len(set(labels)) == len(labels)


def test_what_a_command_says_of_itself_is_marked() -> None:
    """What is typed behind a command, and what /help says of it, is in the catalogues."""
    known = ids(TEMPLATE)
    said = {
        text for one in REGISTRY.values() if one.typed for text in (one.takes, one.help, one.more) if text
    }
    examples = {text for text in said if re.fullmatch(r"(/[\w ./:-]+\n?)+", text)}
    assert said - examples - known == set()
