"""A proxy between the service and a server, which spoils what passes through it.

It knows as much HTTP as it needs to tell one request from the next. A fault is scripted for the next
request that posts something; everything else passes.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from tests.e2e.house import PATIENCE
from tests.faults.killer import TO_A_PERSON
from tests.servers.http import Closing

POSTING = ("/sendmessage", "/sendphoto", "/api/v1/statuses")
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: what is unread is thrown away, and a RST is sent


@dataclass(frozen=True)
class Message:
    """A request or an answer: its first line, its headers (lower case) and its body."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1].partition("?")[0]

    @property
    def posts(self) -> bool:
        """Whether this would be a post: what the bot says to people has their ids for chats."""
        to_a_person = TO_A_PERSON.search(self.body) is not None
        return self.line.startswith("POST ") and self.path.lower().endswith(POSTING) and not to_a_person

    def encode(self) -> bytes:
        headers = self.headers | {"content-length": str(len(self.body))}
        lines = [self.line, *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def answer(status: int, content: Any = b"", **headers: str) -> Message:
    """An answer of the proxy's own: JSON, or bytes as a page."""
    page = isinstance(content, bytes)
    kind = "text/html" if page else "application/json"
    body = content if page else json.dumps(content).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message(f"HTTP/1.1 {status} Spoiled", {"content-type": kind, **given}, body)


def altered(**changes: Any) -> Callable[[Message], Message]:
    """What the server answers, with other values in it (for Telegram, in its `result`)."""

    def alter(given: Message) -> Message:
        content = json.loads(given.body)
        inner = content.get("result", content)
        inner |= {name: value(inner) if callable(value) else value for name, value in changes.items()}
        return replace(given, body=json.dumps(content).encode())

    return alter


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `passes`: the server gets it and carries it out. Then the client gets `answer`, made from the server's
    where it is a function, or the server's own (None); and of that, by `end`: all, half of it and the end
    of the connection, a reset connection instead, or nothing, for as long as it cares to wait.
    """

    passes: bool = True
    answer: Message | Callable[[Message], Message] | None = None
    end: Literal["whole", "cut", "reset", "silence"] = "whole"


WELL = Fault()
RESET_BEFORE = Fault(passes=False, end="reset")
RESET_AFTER = Fault(end="reset")
CUT = Fault(end="cut")
SILENT_BEFORE = Fault(passes=False, end="silence")
SILENT_AFTER = Fault(end="silence")


class GoneError(Exception):
    """The other side of a connection is not there any more."""


async def read(reader: asyncio.StreamReader) -> Message:
    """The next request or answer. Raises GoneError where it does not come whole."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (header.partition(":") for header in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Message(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise GoneError from None


@dataclass
class Proxy:
    """Listens on loopback in a thread of its own, and passes on to `target`, a port on loopback.

    `draw` gives the fault of every request for which none is scripted, and how long it is on its way, in
    seconds. It is called in the proxy's thread.
    """

    target: int
    draw: Callable[[Message], tuple[Fault, float]] = lambda _: (WELL, 0)
    port: int = 0
    closing: Closing = "announced"  # how the server behind ends a connection
    passed: int = 0
    spoiled: int = 0
    _script: deque[Fault] = field(default_factory=deque)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spoil(self, *faults: Fault) -> None:
        """The next requests that post go like this, one after the other."""
        self._script.extend(faults)

    def up(self) -> None:
        """Take connections, on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._up(), self._loop).result(PATIENCE)

    def down(self) -> None:
        """Refuse connections, and break those there are."""
        asyncio.run_coroutine_threadsafe(self._down(), self._loop).result(PATIENCE)

    async def _up(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (GoneError, ConnectionError, asyncio.CancelledError):
            pass  # a client may go at any time, and so may the proxy
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request after the other, until one side has enough."""
        is_over = False
        while True:
            request = await read(reader)
            if is_over:
                return
            fault, delay = self._fate(request)
            await asyncio.sleep(delay)
            given = await self._pass_on(request) if fault.passes else answer(502)
            if callable(fault.answer):
                given = fault.answer(given)
            elif fault.answer is not None:
                given = fault.answer
            if not await self._give(given, fault, reader, writer) or self.closing == "silent":
                return
            is_over = self.closing == "late"

    def _fate(self, request: Message) -> tuple[Fault, float]:
        fault, delay = self.draw(request)
        if request.posts and self._script:
            fault = self._script.popleft()
        self.passed += fault.passes
        self.spoiled += fault is not WELL
        return fault, delay

    async def _pass_on(self, request: Message) -> Message:
        """What the server answers. Once begun it is not given up: the request is out."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            raise GoneError from None
        try:
            writer.write(request.encode())
            given = await read(reader)
        finally:
            writer.close()
        return given

    async def _give(
        self, given: Message, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Give the client its answer, as the fault says. Whether the connection goes on."""
        data = given.encode()
        match fault.end:
            case "whole":
                writer.write(data)
                await writer.drain()
                return given.headers.get("connection", "").lower() != "close"
            case "cut":
                writer.write(data[: len(data) - (len(given.body) + 1) // 2])
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            case "reset":
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            case "silence":
                await reader.read()  # until the client goes
        return False
