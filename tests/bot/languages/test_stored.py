"""What was stored in English is said in the language of who reads it."""

import pytest

from tests.bot.languages.messages import STORED_DATA
from threadcast.bot.languages import speaking
from threadcast.bot.languages.stored import translated
from threadcast.queue.states import STOPPING


def test_a_stored_sentence_is_recognised() -> None:
    """Whole, with what stands in its places, and put together of two; what is not known stays as it is."""
    with speaking("de"):
        wait = translated("Telegram asks to wait 30 s")
        assert wait != "Telegram asks to wait 30 s"
        assert "30" in wait
        assert translated("waits until then: Telegram asks to wait 30 s").endswith(wait)
        what, advice = (STORED_DATA["bot/channels/telegram/refusals.toml"][place] for place in (2, 3))
        assert translated(f"{what}: {advice}") == f"{translated(what)}: {translated(advice)}"
        missing = "number 2 is missing between 1/ (line 1) and 3/ (line 2)"
        assert translated(missing) == "Nummer 2 fehlt zwischen 1/ (Zeile 1) und 3/ (Zeile 2)"
        assert translated("somebody wrote this: by hand") == "somebody wrote this: by hand"
        assert translated("3 parts are no reason") == "3 parts are no reason"


@pytest.mark.parametrize("language", ["es", "fr", "ru", "uk"])
def test_each_language_has_them(language: str) -> None:
    """Why a chain ends is said in each language."""
    with speaking(language):
        assert translated(STOPPING) != STOPPING
