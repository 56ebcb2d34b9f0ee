"""A local channel whose next sends can be made to go wrong, for tests of what stands above channels.

With no script it is the local channel: the contract suite runs on it too.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from threadcast.bot.channels.local.channel import LocalChannel
from threadcast.bot.channels.port import NotReadyError, Outgoing, Sought
from threadcast.config.channels import LocalChannelSettings
from threadcast.queue.compose.rules import Numbering, Rules
from threadcast.queue.model import NewDelivery, NewThread
from threadcast.queue.outcomes import Look, Outcome, Refused, Settling, Throttled, Unknown, Unreached
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings
from threadcast.queue.text.thread import Thread

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **step: float) -> datetime:
        self.moment += timedelta(**step)
        return self.moment


@dataclass
class Step:
    """What one send does: wait for `gate`, call `before`, then answer `outcome` or really send.

    With `stored` the post is really sent even where `outcome` says something else.
    """

    outcome: Outcome | None = None
    stored: bool = False
    gate: asyncio.Event | None = None
    before: Callable[[], None] = lambda: None
    error: Exception | None = None


@dataclass
class Script:
    """The steps still to come, and what was asked so far.

    A look for a post gives the first of `looks`, or where there is none what the timeline shows. `fault`
    is what stands in the way of a chain that is about to begin.
    """

    steps: deque[Step] = field(default_factory=deque)
    asked: list[Outgoing] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    not_ready: NotReadyError | None = None
    settling: Settling = field(default_factory=lambda: Settling(first_look=timedelta(0)))
    looks: deque[Look] = field(default_factory=deque)
    sought: list[Sought] = field(default_factory=list)
    fault: Throttled | Unreached | Refused | None = None
    edits: deque[Step] = field(default_factory=deque)
    edited: list[tuple[str, str]] = field(default_factory=list)  # ids and texts


class ScriptedChannel(LocalChannel):
    """See above."""

    def __init__(self, name: str, folder: Path, clock: Callable[[], datetime], *steps: Step) -> None:
        super().__init__(LocalChannelSettings(name=name), folder=folder, clock=clock)
        self.script = Script(deque(steps))
        self.numbered = Numbering.KEEP

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        if self.script.not_ready is not None:
            raise self.script.not_ready
        return replace(await super().rules(settings), numbering=self.numbered)

    @property
    def settling(self) -> Settling:
        return self.script.settling

    async def look_up(self, sought: Sought) -> Look:
        self.script.sought.append(sought)
        return self.script.looks.popleft() if self.script.looks else await super().look_up(sought)

    async def preflight(self) -> Throttled | Unreached | Refused | None:
        return self.script.fault

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.script.asked.append(outgoing)
        self.script.started.set()
        return await self._play(self.script.steps, partial(super().send, outgoing))

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        self.script.edited.append((remote_id, outgoing.text))
        self.script.started.set()
        return await self._play(self.script.edits, partial(super().edit, remote_id, outgoing))

    async def _play(self, steps: deque[Step], call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        step = steps.popleft() if steps else Step()
        if step.gate is not None:
            await step.gate.wait()
        step.before()
        if step.error is not None:
            raise step.error
        if step.outcome is None:
            return await call()
        if step.stored:
            await call()
        return step.outcome


LOST = Step(Unknown("the answer was lost"), stored=True)


def thread(parts: int = 3, about: str = "lamp") -> Thread:
    """A sound thread of short parts."""
    text = "".join(f"{number}/ {about} {number}\n" for number in range(1, parts)) + f"{parts}/ {about} /end\n"
    (parsed,) = parse(text)
    return parsed


def wish(
    channel: str, *, parts: int = 3, about: str = "lamp", due: datetime = START, own_time: bool = False
) -> NewThread:
    """A thread queued for one channel."""
    delivery = NewDelivery(channel, DeliveryState.QUEUED, due, own_time=own_time)
    return NewThread(thread(parts, about), "test.txt", (delivery,))
