"""Whole conversations with the real service: each file in `transcripts/` says what it proves."""

from pathlib import Path

import pytest

from tests.bot.chat.script import Player, read
from tests.bot.chat.stand import SetTimer, standing

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, tmp_path: Path) -> None:
    """The conversation goes as it is written down; its first line says what that proves."""
    transcript = read(path)
    with standing(tmp_path, transcript.given, bare=transcript.bare, timer=SetTimer()) as stand:
        Player(stand).play(transcript)
