"""What a person writes of a message: its id, or its link. Pure.

https://core.telegram.org/api/links#message-links
"""

import re
from dataclasses import dataclass
from typing import Final

CHANNELS: Final = -1_000_000_000_000  # the Bot API names a channel by this, minus the id that links use
_ID: Final = r"(?P<id>[1-9][0-9]{0,9})"
_LINK: Final = re.compile(
    r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/"
    rf"(?:c/(?P<number>[0-9]{{1,13}})|(?:s/)?(?P<name>[a-z]\w+))/(?:[0-9]+/)?{_ID}/?(?:[?#].*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Link:
    """A message. `chat` is an @name in lower case or a numeric id; None where an id stands alone."""

    chat: str | None
    message_id: int


def read_link(address: str) -> Link | None:
    """Return the message that is meant; None where this is neither an id nor a link of one."""
    match = re.fullmatch(_ID, address.strip(), re.ASCII) or _LINK.fullmatch(address.strip())
    if match is None:
        return None
    found = match.groupdict()
    number, name = found.get("number"), found.get("name")
    chat = str(CHANNELS - int(number)) if number else f"@{name.lower()}" if name else None
    return Link(chat, int(found["id"]))
