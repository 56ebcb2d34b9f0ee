"""Channels that an owner stored from the chat: beside those of the environment, which win.

They are chats of the bot that the chat is held with; no token is stored.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from threadcast.config.channels import ChannelSettings, TelegramChannelSettings
from threadcast.config.logs import get_logger
from threadcast.config.settings import Settings
from threadcast.queue.store.notes import Entry, Notes

log = get_logger("threadcast.service")

CHANNELS: Final = "channels"  # pages of the notes; the line is the chat's id
OFFERED: Final = "offered"


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A chat that is a channel, or may become one. `username` is empty where it has none."""

    chat: int
    name: str
    title: str
    username: str = ""


def offer(notes: Notes, one: StoredChannel, *, now: datetime) -> None:
    """Note a chat that the bot was added to, so that it can be stored later. Raises StoreError."""
    _write(notes, OFFERED, one, now)


def offered(notes: Notes) -> dict[int, StoredChannel]:
    """Return the chats that were offered, by their ids. Raises StoreError."""
    return _read(notes, OFFERED)


def store(notes: Notes, chat: int, *, by: str, now: datetime) -> StoredChannel | None:
    """Make a chat that was offered a channel, as an actor asks; None where it was not. Raises StoreError."""
    one = offered(notes).get(chat)
    if one is not None:
        _write(notes, CHANNELS, one, now, Entry("store", by, now, one.name, one.title))
    return one


def stored(notes: Notes) -> dict[str, StoredChannel]:
    """Return the channels that were stored, by their names. Raises StoreError."""
    return {one.name: one for one in _read(notes, CHANNELS).values()}


def forget(notes: Notes, one: StoredChannel, *, by: str, now: datetime) -> bool:
    """Publish there no more, as an actor asks; return whether it was stored. Raises StoreError."""
    return notes.forget(CHANNELS, one.chat, entry=Entry("forget", by, now, one.name, one.title))


def in_use(settings: Settings, notes: Notes) -> Settings:
    """Return the settings with the channels that were stored. Raises StoreError.

    One of the environment is taken in place of a stored one of its name or its chat. Where there is a stored
    one, the local channel that stands for none is none.
    """
    configured = settings.channels if settings.has_channels else ()
    names = {one.name for one in configured}
    places = {one.chat.lower() for one in configured if isinstance(one, TelegramChannelSettings)}
    added = [
        made
        for one in stored(notes).values()
        if one.name not in names and not {str(one.chat), f"@{one.username}".lower()} & places
        if (made := _settings(settings, one)) is not None
    ]
    if not added:
        return settings
    return settings.model_copy(
        update={"channels": tuple(sorted((*configured, *added), key=lambda one: one.name))}
    )


def _settings(settings: Settings, one: StoredChannel) -> ChannelSettings | None:
    """What the environment would say of it; None where that does not fit."""
    token = settings.telegram.token
    if token is None:
        return None
    try:
        return TelegramChannelSettings.model_validate(
            {"name": one.name, "chat": str(one.chat), "token": token.get_secret_value()}
        )
    except ValidationError:
        log.warning("a stored channel is left out: it does not fit", name=one.name, chat=one.chat)
        return None


def _read(notes: Notes, page: str) -> dict[int, StoredChannel]:
    return {chat: StoredChannel(chat, **json.loads(text)) for chat, text in notes.read(page).items()}


def _write(notes: Notes, page: str, one: StoredChannel, now: datetime, entry: Entry | None = None) -> None:
    kept = asdict(one)
    notes.write(page, kept.pop("chat"), json.dumps(kept), now=now, entry=entry)
