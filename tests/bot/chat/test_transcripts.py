"""Whole conversations with the real service: each file in `transcripts/` says what it proves.

They are played in English in another alphabet, as the language of all: so each proves, too, that what the
bot says in it comes from a catalogue, and that all goes on as in English. Some are played in English as well.
"""

import re
from pathlib import Path

import pytest

from tests.bot.chat.script import Player, Transcript, read
from tests.bot.chat.stand import SetTimer, standing
from tests.bot.languages.alphabet import LANGUAGE, spoken
from threadcast.bot.chat.requests import REGISTRY

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
SOME = TRANSCRIPTS[::10]
WORDS = re.compile(r"[A-Za-z][a-z']+(?: [A-Za-z][a-z']+)+")
# What stands beside a title or another name of theirs: commands, channels, days, and what a channel is like.
BESIDE = {*REGISTRY, "news", "page", "masto", "daily", "at", "now", "threadcast", "restore"}
BESIDE |= {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "local", "timeline", "like", "Mastodon"}


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversation goes as it is written down; its first line says what that proves."""
    transcript = read(path)
    given = {"LANGUAGE": LANGUAGE, **transcript.given}
    with spoken(monkeypatch), standing(tmp_path, given, bare=transcript.bare, timer=SetTimer()) as stand:
        player = Player(stand)
        player.play(transcript)
    lines = [line for said in player.said for line in said.split("\n") if not line.startswith("(replies to ")]
    theirs = " ".join(_written(transcript)).lower()
    assert {words for line in lines for words in _english(line) if words.lower() not in theirs} == set()


@pytest.mark.parametrize("path", SOME, ids=lambda path: path.stem)
def test_transcript_in_english(path: Path, tmp_path: Path) -> None:
    """The same in English, which has no catalogue."""
    transcript = read(path)
    with standing(tmp_path, transcript.given, bare=transcript.bare, timer=SetTimer()) as stand:
        Player(stand).play(transcript)


def _english(line: str) -> list[str]:
    """What is left in English, in two words at least."""
    found: list[str] = []
    for run in WORDS.findall(line):
        words = run.split()
        while words and words[0] in BESIDE:
            del words[0]
        while words and words[-1] in BESIDE:
            del words[-1]
        if len(words) > 1:
            found.append(" ".join(words))
    return found


def _written(transcript: Transcript) -> list[str]:
    """What people wrote, and what happened behind the scenes: its words."""
    steps = [step for step in transcript.steps if not step.line.startswith("Bot")]
    return [" ".join(re.findall(r"[A-Za-z][A-Za-z']*", f"{step.line}\n{step.block}")) for step in steps]
