"""What a person can ask for in the chat. Importing this fills the registry of commands."""

from threadcast.bot.chat.commands import REGISTRY
from threadcast.bot.chat.requests import (
    adding,
    changing,
    editing,
    membership,
    people,
    previewing,
    reading,
    settings,
    settling,
    takedown,
    timing,
)
from threadcast.bot.chat.requests.files import attaching, describing

__all__ = [
    "REGISTRY",
    "adding",
    "attaching",
    "changing",
    "describing",
    "editing",
    "membership",
    "people",
    "previewing",
    "reading",
    "settings",
    "settling",
    "takedown",
    "timing",
]
