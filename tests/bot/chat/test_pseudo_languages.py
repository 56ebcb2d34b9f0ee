"""The chat in languages that nobody speaks: what is longer, or from right to left, fits all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bot.chat.script import Player, Transcript, read, spoken
from tests.bot.chat.test_transcripts import TRANSCRIPTS, is_whole, play
from tests.bot.languages import pseudo
from tests.bot.languages.marks import marked
from threadcast.bot.people.people import People

NAMES = ("day-picker", "help", "settings", "stopped-skip")
ROW = 8  # buttons that a client shows side by side
PAYLOAD = 64  # bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton


@pytest.mark.parametrize(
    "path", [one for one in TRANSCRIPTS if one.stem in NAMES], ids=lambda path: path.stem
)
def test_a_conversation(path: Path) -> None:
    """It goes as in English: each message within Telegram's limits, with buttons that do the same."""
    transcript = read(path)
    with marked():
        first = play(transcript)
    with pseudo.spoken():
        for language in pseudo.PSEUDO:
            assert [said for said in first.said if not is_whole(said, language)] == []
        language = pseudo.PSEUDO[NAMES.index(path.stem) % len(pseudo.PSEUDO)]
        again = played_in(language, spoken(transcript, first.played, language))
    assert again.buttons == first.buttons
    for keyboard in again.buttons:
        assert all(len(row) <= ROW for row in keyboard)
        assert all(len(does.encode()) <= PAYLOAD for row in keyboard for does in row)


def played_in(language: str, transcript: Transcript) -> Player:
    """Play a transcript with a bot that speaks this to everybody, though no setting has it."""
    given = {name: value for name, value in transcript.given.items() if name != "LANGUAGE"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(People, "speaks", lambda _people, _number, _code=None: language)
        return play(replace(transcript, given=given))
