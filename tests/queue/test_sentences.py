"""A sentence is data: it is stored as it was made, and said in the language of who reads it."""

import pytest

from threadcast.bot.languages import LANGUAGES, speaking, translated
from threadcast.queue.sentences import Sentence, from_json, to_json
from threadcast.queue.states import STOPPING

WAITS = Sentence(
    "waits until then: {reason}", reason=Sentence("Telegram asks to wait {total_seconds} s", total_seconds=30)
)


def test_it_reads_as_english() -> None:
    """Wherever nobody asks what it is made of, it is its English text, in the right number."""
    assert WAITS == "waits until then: Telegram asks to wait 30 s"
    assert [Sentence("{n} post", "{n} posts", n=each) for each in (1, 2)] == ["1 post", "2 posts"]
    assert Sentence("no places {{here}}") == "no places {here}"


def test_an_error_hands_it_on() -> None:
    """An error that is made of one says it: `str` of it is the sentence still, also as part of another."""
    kept = str(ValueError(WAITS))
    assert isinstance(kept, Sentence)
    outer = Sentence("{source}: {why}", source="a.txt", why=ValueError(WAITS))
    assert outer.about["why"] is WAITS


@pytest.mark.parametrize(
    "text", ["", 'Bad Request: {chat} not "found"', WAITS, Sentence("{n} part", "{n} parts", n=2), "ё ✔"]
)
def test_it_is_stored_as_data(text: str) -> None:
    """What was stored is what is read, with all that it is made of; a server's own words are only text."""
    read = from_json(to_json(text))
    assert (read, type(read)) == (text, type(text))
    assert translated(read) == translated(text)
    if isinstance(text, Sentence):
        assert isinstance(read, Sentence)
        assert (read.says, read.many, read.about) == (text.says, text.many, text.about)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_it_is_said_in_each_language(language: str) -> None:
    """With the sentences in it, and what stands in their places; what is no sentence stays as it is."""
    with speaking(language):
        said = translated(from_json(to_json(WAITS)))
        inner = translated(WAITS.about["reason"]) if isinstance(WAITS.about["reason"], str) else ""
        assert said.endswith(inner)
        assert "30" in inner
        assert inner != WAITS.about["reason"]
        assert translated(STOPPING) != STOPPING
        assert translated("Telegram asks to wait 30 s") == "Telegram asks to wait 30 s"
        assert translated(Sentence("{n} post", "{n} posts", n=5)) != "5 posts"
