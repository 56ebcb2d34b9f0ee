"""The shell speaks the language of its terminal; what programs read stays English."""

import json

import pytest

from tests.bot.shell.typed import GAP, THREAD, Shell


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
    asked = (("queue",), ("nosuch",), ("show", "9"), ("show",), ("at", "1"), ("queue", "--nosuch"))
    return {" ".join(words): (one := shell(*words)).stderr or one.stdout for words in asked}
