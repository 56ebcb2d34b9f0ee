"""What a process makes when it first needs it, made for all forks: models of settings, catalogues."""

from pathlib import Path

from threadcast.bot.languages import LANGUAGES, _, speaking
from threadcast.config.settings import load

load({}, folder=Path("nowhere"))
for language in LANGUAGES:
    with speaking(language):
        _("Cancel")
