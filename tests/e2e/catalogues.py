"""Reads every catalogue, once for all forks that speak."""

from threadcast.bot.languages import LANGUAGES, _, speaking

for language in LANGUAGES:
    with speaking(language):
        _("Cancel")
