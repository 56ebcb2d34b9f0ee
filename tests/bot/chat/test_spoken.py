"""A conversation in each language: `spoken/` has them, as `transcripts/` has those in English."""

from pathlib import Path

import pytest

from tests.bot.chat.script import Player, read
from tests.bot.chat.stand import SetTimer, standing
from threadcast.bot.languages import DEFAULT, LANGUAGES

SPOKEN = Path(__file__).parent / "spoken"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != DEFAULT])
def test_a_conversation(language: str, tmp_path: Path) -> None:
    """Who writes in a language is spoken to in it."""
    transcript = read(SPOKEN / f"{language}.txt")
    with standing(tmp_path, transcript.given, timer=SetTimer()) as stand:
        Player(stand).play(transcript)
