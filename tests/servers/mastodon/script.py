"""What goes wrong on a Mastodon server for tests, and when: as a test scripts it."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Condition, Event
from typing import Any

from tests.servers.http import Answer, Cut, Held, Request, Response
from tests.servers.mastodon.budgets import Left

HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class Fault:
    """What goes wrong with one POST of a status: an answer instead of the deed, or a spoiled one after it."""

    instead: Answer | None = None
    spoil: Callable[[Response], Answer] | None = None


class Script:
    """The part of a server that tests use to make it fail. Most of it is about the next POST of a status."""

    changed: Condition
    clock: Callable[[], datetime]

    def __init__(self, port: int) -> None:
        super().__init__(port)  # type: ignore[call-arg]  # the server's, which follows
        self._faults: deque[Fault] = deque()
        self._instead: list[tuple[str, Answer, list[None]]] = []

    def limits(self, left: Left) -> Mapping[str, str]:
        """Headers that tell a limit."""
        raise NotImplementedError

    def instead(self, pattern: str, answer: Answer, times: int = 1) -> None:
        """The next requests like `GET /api/v1/…` (a regular expression) get this, and do nothing."""
        with self.changed:
            self._instead.append((pattern, answer, [None] * times))

    def scripted(self, request: Request) -> Answer | None:
        """What a test wants a request to be answered with."""
        for pattern, answer, left in self._instead:
            if left and re.fullmatch(pattern, f"{request.method} {request.path}"):
                left.pop()
                return answer
        return None

    def next_fault(self) -> Fault:
        """What goes wrong with this POST of a status."""
        return self._faults.popleft() if self._faults else Fault()

    def throttle(self, seconds: int) -> None:
        """It is answered 429, and nothing is stored."""
        left = Left(300, 0, self.clock() + timedelta(seconds=seconds))
        error = Response(429, {"error": "Too many requests"}, self.limits(left))
        self._script(Fault(instead=error))

    def fail(self, status: int, words: str = "This is not the server's day") -> None:
        """It is answered with this status, and nothing is stored."""
        self._script(Fault(instead=Response(status, {"error": words})))

    def redirect(self, location: str, status: int = 301) -> None:
        """It is sent elsewhere, and nothing is stored."""
        self._script(Fault(instead=Response(status, b"", {"Location": location})))

    def cut(self) -> None:
        """The connection breaks before anything is stored."""
        self._script(Fault(instead=Cut()))

    def lose_answer(self) -> None:
        """It is stored, and the connection cut before the answer."""
        self._script(Fault(spoil=lambda _: Cut()))

    def cut_answer(self) -> None:
        """It is stored, and the connection cut in the middle of the answer."""
        self._script(Fault(spoil=Cut))

    def hold_answer(self) -> Event:
        """It is stored, and answered when the event returned here is set."""
        released = Event()
        self._script(Fault(spoil=lambda response: Held(released, response)))
        return released

    def replace_answer(self, answer: Any) -> None:
        """It is stored, and answered 200 with this instead: JSON, or bytes as they are."""
        self._script(Fault(spoil=lambda _: Response(200, answer, HTML if isinstance(answer, bytes) else {})))

    def alter_answer(self, **changes: Any) -> None:
        """It is stored, and some of the answer's fields are others."""
        self._script(Fault(spoil=lambda response: Response(200, {**response.content, **changes})))

    def _script(self, fault: Fault) -> None:
        with self.changed:
            self._faults.append(fault)
