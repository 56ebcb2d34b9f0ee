"""What the last check of each channel found: shown beside it, and told to who watches over the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from threadcast.bot.channels.port import Clock, Finding
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and when."""

    at: datetime
    findings: tuple[Finding, ...]

    @property
    def fault(self) -> Finding | None:
        """Return what keeps the channel from publishing."""
        return next((one for one in self.findings if one.level == "error"), None)


class Checks:
    """The last one of each channel, since the service began: no check is a post, and none is a record.

    Beside those that somebody asked for are the refusals that the service found by itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, Check] = {}
        self._refused: dict[str, Check] = {}

    def of(self, channel: str) -> Check | None:
        """Return the last one of a channel."""
        return self._refused.get(channel) or self._last.get(channel)

    def note(self, channel: str, findings: tuple[Finding, ...]) -> None:
        """Keep what was found of a channel now."""
        self._last[channel] = Check(self._clock(), findings)
        self.admit(channel)

    def refuse(self, channel: str, why: str) -> None:
        """The service itself saw that it is not let in there."""
        self._refused[channel] = Check(self._clock(), (Finding("error", why),))

    def admit(self, channel: str) -> None:
        """It is let in there."""
        self._refused.pop(channel, None)

    def is_refused(self, channel: str) -> bool:
        """Whether it was not let in there when the service looked last."""
        return channel in self._refused

    def faults(self) -> Mapping[str, str]:
        """Return the channels that the last check found unable to publish, each with why."""
        every = [*self._last.items(), *self._refused.items()]
        found = {name: one.fault for name, one in every}
        return {name: one.what for name, one in found.items() if one is not None}

    def see(self, delivery: Delivery) -> None:
        """A chain is out to its end: what was found before is not so any more."""
        if delivery.state is DeliveryState.PUBLISHED:
            self._last.pop(delivery.channel, None)
            self.admit(delivery.channel)
