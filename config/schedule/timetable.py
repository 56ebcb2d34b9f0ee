"""When the next thread of a channel starts: its schedule, quiet hours and jitter put together.

The rules, in full:

- A thread may use a slot that came after the last one used, and not before the thread began to wait.
- If the latest slot is such a one, the thread starts now: so a slot missed while nobody looked starts
  one thread, and is used up together with all before it. Otherwise it waits for the next slot.
- A slot in quiet hours lapses: nobody uses it, then or later.
- A missed slot that would start a thread within quiet hours starts it at their end.
- Without a schedule a thread starts at once, or at the end of quiet hours.
- Jitter moves a start later by a part of it that depends on the channel and the slot alone, so that it
  is the same after a restart; never to the next slot, and not at all where that would be quiet.

Nothing here asks a clock: the same questions have the same answers, whenever and how often they are put.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from zoneinfo import ZoneInfo

from threadcast.config.schedule.quiet import NEVER_QUIET, QuietHours
from threadcast.config.schedule.slots import Schedule, Slot
from threadcast.config.schedule.zones import DAY, TICK

_NO_JITTER = timedelta()
_SECOND = timedelta(seconds=1)
_STEPS = 1 << 32

# Within forty years each date falls on each day of the week (eight years may lie between two leap days).
_WHILE = DAY * 366 * 40
_SOME_TIME = datetime(2001, 1, 1)  # noqa: DTZ001 - a wall time


class Cause(StrEnum):
    """What decides when a thread starts."""

    TURN = "turn"  # no schedule: as soon as the channel is free
    SLOT = "slot"
    QUIET = "quiet"  # the end of quiet hours


@dataclass(frozen=True, slots=True)
class Start:
    """When a thread may start (UTC), why then, and the slot it uses up (None without a schedule)."""

    at: datetime
    cause: Cause
    slot: Slot | None


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that decides when a channel's threads start. `name` is the channel's, to draw the jitter from.

    Raises ValueError where quiet hours leave none of the schedule's slots, and for a jitter below nothing.
    """

    name: str
    zone: ZoneInfo
    schedule: Schedule | None = None
    quiet: QuietHours = NEVER_QUIET
    jitter: timedelta = _NO_JITTER

    def __post_init__(self) -> None:
        if self.jitter < _NO_JITTER:
            raise ValueError("expected a jitter of nothing or more, for example 10m")
        if self.schedule is not None and not _leaves_slots(self.quiet, self.schedule):
            raise ValueError("expected quiet hours that leave at least one slot of the schedule")

    def start_at(self, *, last_slot: datetime | None, queued_at: datetime, now: datetime) -> Start:
        """Return when the next thread may start.

        `last_slot` is the instant of the slot used last, `queued_at` when this thread began to wait (or
        may begin: a time to come is as good). A `last_slot` after `now` stands, so a clock that was set
        back does not open a slot twice.
        """
        if self.schedule is None:
            ready = max(now, queued_at).astimezone(UTC)
            at = self.quiet.ends(ready, self.zone)
            return Start(at, Cause.TURN if at == ready else Cause.QUIET, None)
        since = queued_at if last_slot is None else max(queued_at, last_slot + TICK)
        missed = self._latest(self.schedule, now)
        if missed.utc < since:
            slot = self._next(self.schedule, max(now, since - TICK))
            return Start(self.jittered(slot), Cause.SLOT, slot)
        due = max(now.astimezone(UTC), self.jittered(missed))
        end = self.quiet.ends(due, self.zone)
        if end == due:
            return Start(due, Cause.SLOT, missed)
        slot = self._latest(self.schedule, end)
        if slot == missed:
            return Start(end, Cause.QUIET, missed)
        # One that falls on the end of quiet hours: it takes the missed one with it.
        return Start(self.jittered(slot), Cause.SLOT, slot)

    def next_slot(self, after: datetime) -> Slot | None:
        """Return the first slot after an instant that does not lapse; None without a schedule."""
        return None if self.schedule is None else self._next(self.schedule, after)

    def jittered(self, slot: Slot) -> datetime:
        """Return when the thread of a slot starts: the slot, or up to `jitter` after it, in whole seconds."""
        if self.schedule is None or not self.jitter:
            return slot.utc
        reach = min(self.jitter, self.schedule.next(slot.utc, self.zone).utc - slot.utc)
        digest = sha256(f"{self.name}\n{slot.utc.timestamp():.0f}".encode()).digest()
        share = int.from_bytes(digest[:4])
        at = slot.utc + _SECOND * (reach // _SECOND * share // _STEPS)
        return slot.utc if self.quiet.is_quiet(at, self.zone) else at

    def _next(self, schedule: Schedule, after: datetime) -> Slot:
        """Return the first slot after an instant that does not lapse."""
        slot = schedule.next(after, self.zone)
        while (end := self.quiet.ends(slot.utc, self.zone)) > slot.utc:
            slot = schedule.next(end - TICK, self.zone)
        return slot

    def _latest(self, schedule: Schedule, at: datetime) -> Slot:
        """Return the last slot up to an instant that does not lapse."""
        slot = schedule.latest(at, self.zone)
        while self.quiet.is_quiet(slot.utc, self.zone):
            slot = schedule.latest(slot.utc - TICK, self.zone)
        return slot


def _leaves_slots(quiet: QuietHours, schedule: Schedule) -> bool:
    """Return whether some slot is outside quiet hours, by the clock on the wall."""
    local = schedule.pattern.following(_SOME_TIME)
    while (end := quiet.end_after(local)) is not None and local < _SOME_TIME + _WHILE:
        local = schedule.pattern.following(end - TICK)
    return end is None
