"""What a server said of itself lately, in the notes of the queue: a preview does not ask it again."""

from contextlib import suppress
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from threadcast.bot.channels.mastodon.instance import Instance, fit_to_show
from threadcast.bot.channels.port import Clock
from threadcast.queue.errors import StoreError
from threadcast.queue.store.notes import Notes

LATELY = timedelta(days=1)
LONGEST = 4_000  # characters of a note


class _Answer(BaseModel, defer_build=True):
    at: AwareDatetime
    instance: Instance


class Learned:
    """The note on the server at an address. One that cannot be read or written costs a question, no more."""

    def __init__(self, notes: Notes, address: str, clock: Clock) -> None:
        self._notes = notes
        self._page = f"server:{address}"
        self._clock = clock

    def read(self, within: timedelta = LATELY) -> Instance | None:
        """Return what the server said, if that was learned within this time."""
        with suppress(StoreError, ValidationError):
            if text := self._notes.read(self._page).get(1):
                kept, now = _Answer.model_validate_json(text), self._clock()
                return kept.instance if now - within < kept.at <= now else None
        return None

    def write(self, instance: Instance) -> None:
        """Note what the server said; accounts that share one write it once in a while, not once each."""
        if self.read(LATELY / 2) == instance:
            return
        now = self._clock()
        with suppress(StoreError, PydanticSerializationError):  # the latter of what is no Unicode
            text = _Answer(at=now, instance=instance).model_dump_json()
            if len(text) <= LONGEST and fit_to_show(text):
                self._notes.write(self._page, 1, text, now=now)
