"""Sentences come in the language that is spoken, and English is what is left."""

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from threadcast.bot import languages
from threadcast.bot.languages import LANGUAGES, N_, _, language, language_of, ngettext, speaking

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("code", "spoken"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("uk_UA.UTF-8", "uk"),
        ("FR", "fr"),
        ("tlh", "en"),
        ("C.UTF-8", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_code_names_a_language(code: str | None, spoken: str) -> None:
    """Telegram's codes and those of LANG name a language; one that we lack is English."""
    assert language_of(code) == spoken


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_what_no_catalogue_has_is_english(spoken: str) -> None:
    """A sentence that no catalogue has is said in English, in the right number."""
    with speaking(spoken):
        assert _("Never said before.") == N_("Never said before.")
        assert ngettext("one never", "{n} nevers", 1) == "one never"
        assert ngettext("one never", "{n} nevers", 5) == "{n} nevers"


async def test_tasks_and_threads_speak_as_who_began_them() -> None:
    """What is begun for a person speaks their language to its end; the next person's is not touched."""
    with speaking("de"):
        task = asyncio.create_task(asyncio.to_thread(language))
        with speaking("fr"):
            assert language() == "fr"
        assert language() == "de"
    assert (await task, language()) == ("de", "en")


def test_english_goes_without_babel() -> None:
    """A command that speaks English does not wait for Babel."""
    code = (
        "import sys, threadcast.bot.shell.cli, threadcast.bot.wording;"
        "from threadcast.bot.languages import _; _('x'); sys.exit('babel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("path", sorted((ROOT / "bot").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_else_is_called_as_gettext_is(path: Path) -> None:
    """A module that says sentences has no throw-away `_`: it would hide the function."""
    tree = ast.parse(path.read_text())
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == languages.__name__
        for name in node.names
    }
    stored = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert not imported & stored
