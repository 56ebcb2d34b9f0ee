"""What is still to be told of the queue: the audit log behind a mark, so that a restart leaves nothing out.

The audit log is written with what it tells of, in one transaction, so there is no outbox beside it. What may
be told twice, where a service dies between the answer and the mark, has the same id both times.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from threadcast.bot import models
from threadcast.bot.channels.port import Clock
from threadcast.bot.requests.queries import Chain
from threadcast.bot.requests.requests import Requests
from threadcast.queue.errors import NotFoundError
from threadcast.queue.model import AuditEvent
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.notes import Notes

PAGE: Final = "hooks"  # of the notes
MARK: Final = 1  # its line
OVERLAP: Final = 100  # ids before the mark that are looked at again: writers commit in any order

Kind = Literal["published", "stopped", "unsure", "held"]
# What can mean one of these; the state as it is now says whether something is still held.
KINDS: Final[dict[str, Kind]] = {
    "finish": "published",
    "refuse": "stopped",
    "stop": "stopped",
    "doubt": "unsure",
    "add": "held",
    "hold": "held",
}


class Hook(models.Model):
    """What is told of one event. `delivery` is as the queue has it now, as in the JSON of `history`."""

    id: int
    event: Kind
    at: models.Moment
    actor: str
    delivery: models.Chain


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to which event all was told, and which of the last ones were."""

    mark: int
    ids: frozenset[int]

    def with_(self, ids: Iterable[int]) -> "Seen":
        """Return the same once these were told, too."""
        told = self.ids.union(ids)
        mark = max(self.mark, *told, 0)
        return Seen(mark, frozenset(one for one in told if one > mark - OVERLAP))


class Feed:
    """It blocks: not for an event loop. Every method may raise StoreError."""

    def __init__(self, notes: Notes, requests_of: Callable[[str], Requests], clock: Clock) -> None:
        self._notes = notes
        self._requests_of = requests_of
        self._clock = clock
        self._seen = Seen(0, frozenset())

    def begin(self) -> None:
        """Go on behind the mark; at the very first start, behind all there is."""
        kept = self._notes.read(PAGE).get(MARK)
        if kept is not None:
            found = json.loads(kept)
            self._seen = Seen(found["mark"], frozenset(found["told"]))
            return
        newest = self._requests_of("hooks").queries.events(limit=OVERLAP)
        self._note(one.id for one in newest)

    def next(self) -> Hook | None:
        """Return what is to be told next, the oldest first; what else happened before is noted as seen.

        It is made when its turn has come: what somebody has seen to meanwhile is not told as held.
        """
        after = max(0, self._seen.mark - OVERLAP)
        aside: list[int] = []
        found = None
        for event in self._requests_of("hooks").queries.events(after=after):
            if event.id in self._seen.ids:
                continue
            found = self._hook(event)
            if found is not None:
                break
            aside.append(event.id)
        if aside:
            self._note(aside)
        return found

    def told(self, hook: Hook) -> None:
        """It has arrived, or is given up."""
        self._note([hook.id])

    def _note(self, ids: Iterable[int]) -> None:
        self._seen = self._seen.with_(ids)
        kept = json.dumps({"mark": self._seen.mark, "told": sorted(self._seen.ids)})
        self._notes.write(PAGE, MARK, kept, now=self._clock())

    def _hook(self, event: AuditEvent) -> Hook | None:
        kind = KINDS.get(event.what)
        chain = None if kind is None else self._chain(event)
        if kind is None or chain is None:
            return None
        held = chain.delivery.state is DeliveryState.HELD
        if kind == "stopped" and held:  # it had not begun
            kind = "held"
        if kind == "held" and not held:  # it needs nobody any more
            return None
        return Hook(
            id=event.id,
            event=kind,
            at=event.at,
            actor=event.actor,
            delivery=models.Chain.model_validate(chain),
        )

    def _chain(self, event: AuditEvent) -> Chain | None:
        if event.thread_id is None:
            return None
        try:
            dossier = self._requests_of("hooks").queries.show(event.thread_id)
        except NotFoundError:  # it was removed meanwhile
            return None
        return next((one for one in dossier.chains if one.delivery.id == event.delivery_id), None)
