"""The shell speaks the language of its terminal; what programs read stays English."""

import json
import re
from contextlib import closing
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from tests.bot.languages.pseudo import PSEUDO, spoken
from tests.bot.shell.typed import GAP, THREAD, Shell
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import prepare
from threadcast.bot.languages import speaking
from threadcast.bot.shell import views
from threadcast.bot.shell.screen import Screen
from threadcast.config.settings import load
from threadcast.queue.states import DeliveryState

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "The queue is empty."),
        ({"LANG": "C.UTF-8"}, "The queue is empty."),
        ({"LANG": "de_AT.UTF-8"}, "Die Warteschlange ist leer."),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, "La file est vide."),
        ({"LC_MESSAGES": "fr_FR.UTF-8", "LC_ALL": "es_MX"}, "La cola está vacía."),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "The queue is empty."),
        ({"LANG": "de_DE.UTF-8", "THREADCAST_LANGUAGE": "uk"}, "Черга порожня."),
        ({"LANG": "tlh_AA.UTF-8"}, "The queue is empty."),
    ],
)
def test_the_language_of_a_terminal(shell: Shell, environment: dict[str, str], said: str) -> None:
    """LC_ALL, LC_MESSAGES, LANG: the first that is set; THREADCAST_LANGUAGE before all; else English."""
    shell.env |= environment
    assert said in shell.ok("queue")


def test_a_language_that_is_set_in_the_folder(shell: Shell) -> None:
    """A language in .env is spoken as soon as it is read, in errors too."""
    shell.write("THREADCAST_LANGUAGE=de\n", ".env")
    assert "Warteschlange" in shell.ok("queue")
    assert "einen Thread 9 gibt es nicht" in shell("show", "9").stderr


def test_what_programs_read_is_english(shell: Shell) -> None:
    """--json is the same in every language: answers, reasons and faults."""
    shell.write(GAP)
    shell.ok("add", shell.write(THREAD, "other.txt"), "thread.txt")
    asked = [("history",), ("show", "2"), ("check",), ("preview", "1"), ("show", "9"), ("at", "1", "nie")]
    english = [shell(*words, "--json") for words in asked]
    for language in ("de", "ru"):
        shell.env |= {"THREADCAST_LANGUAGE": language}
        for words, one in zip(asked, english, strict=True):
            other = shell(*words, "--json")
            assert (other.stdout, other.stderr, other.exit_code) == (one.stdout, one.stderr, one.exit_code)
    assert json.loads(english[4].stderr)["error"]["message"] == "there is no thread 9; see: threadcast queue"


def test_times_are_read_in_it(shell: Shell) -> None:
    """A time is typed as the shell's language has it, or in English; what it says can be typed, can be."""
    shell.ok("add", shell.write(THREAD), "--hold")
    shell.env |= {"LANG": "de_DE.UTF-8"}
    for words in (("morgen", "9:00"), ("tomorrow", "9:00"), ("--each", "täglich 9:00", "--yes")):
        assert "beginnt" in shell.ok("at", "1", *words)
    assert "morgen 9:00" in shell("at", "1", "irgendwann").stderr


@pytest.mark.parametrize("language", ["de", "es", "fr", "ru", "uk"])
def test_answers_and_faults(shell: Shell, language: str) -> None:
    """What was held, why, what to type next, and what went wrong is said in the language of who types."""
    shell.ok("add", shell.write(GAP))
    english = _said(shell)
    shell.env |= {"LANG": language}
    for name, text in _said(shell).items():
        for line, same in zip(text.splitlines(), english[name].splitlines(), strict=True):
            assert line != same or not any(word.isalpha() and len(word) > 3 for word in line.split()), line


def _said(shell: Shell) -> dict[str, str]:
    asked = (
        ("queue",),
        ("nosuch",),
        ("show", "9"),
        ("show",),
        ("at", "1"),
        ("queue", "--nosuch"),
        ("settle", "1", "x"),
    )
    return {" ".join(words): (one := shell(*words)).stderr or one.stdout for words in asked}


@pytest.mark.parametrize("language", PSEUDO)
@pytest.mark.parametrize("columns", [40, 80])
def test_tables_hold(shell: Shell, language: str, columns: int) -> None:
    """In a language a third longer, and from right to left, no line of a table is wider than the terminal."""
    shell.ok("add", shell.write(GAP), shell.write(THREAD, "other.txt"))
    with spoken(), speaking(language), pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", shown := _Terminal())
        screen = Screen(ZoneInfo("UTC"))
        screen.console.width = columns
        with closing(prepare(load(shell.env, folder=shell.folder))) as database:
            rows = database.reading.channels()
            views.channels(screen, rows, frozenset({"news"}))
            held = database.reading.deliveries(states=frozenset({DeliveryState.HELD}))
            views.queue(screen, (), held, now(), running=False)
    lines = [ESCAPES.sub("", line) for line in shown.getvalue().splitlines()]
    assert lines
    assert [line for line in lines if cell_len(line.rstrip()) > columns] == []


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True
