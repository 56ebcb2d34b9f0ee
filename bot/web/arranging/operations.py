"""Work with a thread that takes a while: it goes on behind its answer, and its page says how far it is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.bot.web.live import Live
from threadcast.config.logs import get_logger
from threadcast.queue.errors import QueueError

log = get_logger("threadcast.page")


@dataclass(slots=True)
class Operation:
    """What goes on with a thread, or what came of it last. `fault` is why it came to no end."""

    undone: dict[str, Undoing] = field(default_factory=dict)  # by channel
    audits: tuple[Audit, ...] | None = None
    unchanged: bool = False  # there was nothing to edit back
    busy: bool = True
    fault: Exception | None = None

    @property
    def edited(self) -> bool:
        """Whether a post says something else than what is stored."""
        return any(each.kind == "edited" for one in self.audits or () for each in one.differences)


Work = Callable[[Operation], Awaitable[None]]


class Operations:
    """One a thread at a time. What begins and ends them is called on the service's loop."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._last: dict[int, Operation] = {}
        self._running: set[asyncio.Task[None]] = set()

    def of(self, thread: int) -> Operation | None:
        """Return what goes on with a thread, or came of it last."""
        return self._last.get(thread)

    def is_busy(self, thread: int) -> bool:
        """Return whether something goes on with a thread."""
        last = self._last.get(thread)
        return last is not None and last.busy

    def begin(self, thread: int, work: Work) -> None:
        """Begin it, where nothing goes on with this thread."""
        if self.is_busy(thread):
            return
        operation = self._last[thread] = Operation()
        task = asyncio.create_task(self._run(thread, operation, work), name=f"operation of #{thread}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def told(self) -> None:
        """It went on: open pages show it."""
        self._live.touch()

    async def end(self) -> None:
        """Stop what goes on: what was taken down is noted, and the rest can be asked for anew."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, thread: int, operation: Operation, work: Work) -> None:
        try:
            await work(operation)
        except QueueError as error:
            operation.fault = error
        except Exception as error:
            # An edge, as a view is: whatever broke, the page says that it did.
            log.exception("work with a thread broke", thread=thread)
            operation.fault = error
        finally:
            operation.busy = False
            self.told()
