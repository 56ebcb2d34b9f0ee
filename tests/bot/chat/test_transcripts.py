"""Whole conversations with the real service: each file in `transcripts/` says what it proves.

Each is played in English with marks in it, which tell what came through the catalogues, and what that is in
every other language, to the letter. Then it is played again in one of these, the next transcript in the next
one, and has to go just so; with EVERY_LANGUAGE in the environment (`make languages`) in each of them. These
plays reach their server without sockets; some in plain English have them.
"""

import os
import re
from pathlib import Path

import pytest

from tests.bot.chat.script import LABEL, Player, Transcript, read, spoken
from tests.bot.chat.stand import SetTimer, standing
from tests.bot.languages.marks import english, in_language, marked, unmarked
from tests.queue.store.fresh import in_memory
from threadcast.bot.chat.requests import REGISTRY
from threadcast.bot.languages import DEFAULT, LANGUAGES

OTHERS = [language for language in LANGUAGES if language != DEFAULT]
TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
SOME = TRANSCRIPTS[::10]
WORDS = re.compile(r"[A-Za-z][a-z']+(?: [A-Za-z][a-z']+)+")
# What stands beside a title or another name of theirs: commands, channels, and days as they are typed.
BESIDE = {*REGISTRY, "news", "page", "masto", "daily", "at", "now", "threadcast", "restore"}
BESIDE |= {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    """The conversation goes as it is written, in every language; its first line says what that proves."""
    transcript = read(path)
    with marked():
        first = play(transcript)
    lines = [line for said in first.said for line in unmarked(said).split("\n") if not line.startswith("(")]
    theirs = " ".join(_written(transcript)).lower()
    assert {words for line in lines for words in _english(line) if words.lower() not in theirs} == set()
    for language in OTHERS:
        assert not [said for said in first.said if not is_whole(said, language)]
    turn = TRANSCRIPTS.index(path) % len(OTHERS)
    for language in OTHERS if "EVERY_LANGUAGE" in os.environ else OTHERS[turn : turn + 1]:
        again = play(spoken(transcript, first.played, language))
        assert again.buttons == first.buttons


@pytest.mark.parametrize("path", SOME, ids=lambda path: path.stem)
def test_transcript_in_english(path: Path, tmp_path: Path) -> None:
    """The same in English, which has no catalogue."""
    transcript = read(path)
    with standing(tmp_path, transcript.given, bare=transcript.bare, timer=SetTimer()) as stand:
        Player(stand).play(transcript)


def is_whole(said: str, language: str) -> bool:
    """Whether a message in a language has all its lines and places, and buttons that are told apart."""
    text = in_language(said, language)
    buttons, known = (len(set(LABEL.findall(each))) for each in (text, english(said)))
    return (text.count("\n"), buttons) == (said.count("\n"), known) and not re.search(r"{[a-z_]+}", text)


def play(transcript: Transcript) -> Player:
    with (
        in_memory() as folder,
        standing(folder, transcript.given, bare=transcript.bare, timer=SetTimer(), direct=True) as stand,
    ):
        player = Player(stand)
        player.play(transcript)
        return player


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
