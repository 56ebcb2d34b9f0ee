"""What a person writes below a file, or in reply to a card: a time, channels, a word. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from threadcast.bot.languages import N_, _, language
from threadcast.bot.wording import time_refused
from threadcast.config.schedule.words import WhenCode, WhenError, parse_when

# What people write, in English and in their language: words with blanks between them.
EVERYWHERE = N_("both all everywhere")
AT_ONCE = N_("publish now")
HOLD = N_("hold keep")
FILLERS = N_("to on and")  # beside the channels


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wished. `channels` empty: all of them. `at` is when it shall start.

    `odd` is what cannot be read: where it is like a channel's name, `is_name`; where it is a time that may
    not be meant, `refused` says why.
    """

    channels: tuple[str, ...] = ()
    at: datetime | None = None
    hold: bool = False
    odd: str = ""
    is_name: bool = False
    refused: str = ""


def read_wish(text: str, names: Collection[str], now: datetime, zone: ZoneInfo) -> Wish:
    """Read what was written; `names` are the channels there are."""
    words = text.lower().replace(",", " ").split()
    named = tuple(dict.fromkeys(word for word in words if word in names))
    everywhere, at_once, hold, fillers = map(meaning, (EVERYWHERE, AT_ONCE, HOLD, FILLERS))
    rest = [word for word in words if word not in {*names, *everywhere, *at_once, *hold, *fillers}]
    wish = Wish(
        () if everywhere & set(words) else named,
        at=now if at_once & set(words) else None,
        hold=bool(hold & set(words)),
    )
    if not rest:
        return wish
    try:
        return replace(wish, at=_time(rest, now, zone))
    except WhenError as error:
        if error.code is not WhenCode.UNREADABLE:
            return replace(wish, odd=" ".join(rest), refused=time_refused(error))
    misspelt = [
        word
        for place, word in enumerate(rest)
        if get_close_matches(word, list(names), n=1) and _is_time(rest[:place] + rest[place + 1 :], now, zone)
    ]
    return replace(wish, odd=misspelt[0] if misspelt else " ".join(rest), is_name=bool(misspelt))


def meaning(words: str) -> set[str]:
    """Return those of English, and those of the language that is spoken."""
    return {*words.split(), *_(words).split()}


def _time(words: list[str], now: datetime, zone: ZoneInfo) -> datetime:
    return parse_when(" ".join(words), now=now, zone=zone, language=language())


def _is_time(words: list[str], now: datetime, zone: ZoneInfo) -> bool:
    """Whether words may stand beside a channel's name: a time, however it is refused, or nothing."""
    try:
        return not words or bool(_time(words, now, zone))
    except WhenError as error:
        return error.code is not WhenCode.UNREADABLE
