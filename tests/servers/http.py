"""A small HTTP/1.1 server on loopback that can also misbehave, for the servers that tests talk to.

A platform's server subclasses `LoopbackServer` and writes `handle`: one request in, one answer out.
An answer is a `Response`, a `Cut` (the connection breaks) or a `Held` (an answer that waits for an event).
"""

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import cached_property
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR, socket
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition, Event, Thread
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

PATIENCE = 30.0  # seconds that a test waits for an event before it fails: machines are busy
LOOK = 0.05  # seconds at most between two looks at what a test waits for

# How a server ends a connection: as HTTP/1.1 says; after each answer, though the answer does not say so; or
# at the next request on a connection that was kept, whose sender cannot know what became of it.
Closing = Literal["announced", "silent", "late"]


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Request:
    """One request as it came in. Header names are lower case; `path` is decoded, without the query."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The body read as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)

    @cached_property
    def form(self) -> Mapping[str, list[str]]:
        """The fields of a form body, URL-encoded or multipart, as text. Empty for any other body."""
        if self.content_type == "application/x-www-form-urlencoded":
            return parse_qs(self.body.decode(), keep_blank_values=True)
        fields: dict[str, list[str]] = {}
        for name, value in self._parts:
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
        return fields

    @cached_property
    def files(self) -> Mapping[str, Upload]:
        """The files of a multipart body, by field name."""
        return {name: value for name, value in self._parts if isinstance(value, Upload)}

    @cached_property
    def _parts(self) -> list[tuple[str, str | Upload]]:
        if self.content_type != "multipart/form-data":
            return []
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        found: list[tuple[str, str | Upload]] = []
        for part in message_from_bytes(head + self.body, policy=policy.HTTP).iter_parts():
            name = str(part.get_param("name", "", header="content-disposition"))
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            filename = part.get_filename()
            upload = Upload(filename or "", part.get_content_type(), data)
            found.append((name, data.decode() if filename is None else upload))
        return found


@dataclass(frozen=True)
class Response:
    """An answer. `content` is sent as JSON, unless it is bytes, which are sent as they are."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self, *, connection: str) -> bytes:
        """Return the bytes of it; `connection` is that header's value, empty for none."""
        as_is = isinstance(self.content, bytes)
        body = self.content if as_is else json.dumps(self.content, ensure_ascii=False).encode()
        head = {
            "Content-Type": "application/octet-stream" if as_is else "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            **({"Connection": connection} if connection else {}),
            **self.headers,
        }
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Cut:
    """The connection breaks: before the first byte, or in the middle of the body of `within`."""

    within: Response | None = None


@dataclass(frozen=True)
class Held:
    """An answer that waits until `until` is set, or for `timeout` seconds at most.

    `then` may be a function, called when the wait is over. Stopping the server drops the answer.
    """

    until: Event
    then: Response | Cut | Callable[[], Response | Cut]
    timeout: float | None = None


Answer = Response | Cut | Held


class LoopbackServer(ABC):
    """One listening socket on 127.0.0.1 and a thread for each connection.

    `handle` is called with `changed` locked, one request at a time, so a subclass guards its state
    by using that lock in its other methods; whoever waits in `wait_for` looks again after each
    request. An exception in `handle` is a bug of the server: `stop` raises it.
    """

    def __init__(self, port: int = 0) -> None:
        self.delay = 0.0  # seconds that each request and its answer are on their way, together
        self.closing: Closing = "announced"
        self.changed = Condition()
        self.requests: list[Request] = []
        self._port = port
        self._listener: _Listener | None = None
        self._thread: Thread | None = None
        self._bugs: list[BaseException] = []

    @abstractmethod
    def handle(self, request: Request) -> Answer:
        """Answer one request."""

    @property
    def port(self) -> int:
        """The port, the same after `stop` and `start`; 0 before the first start if none was given."""
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Listen. The first start picks a free port where none was given; later ones keep it."""
        if self._listener is not None:
            raise RuntimeError("already started")
        self._listener = _Listener(self, self._port)
        self._port = self._listener.server_address[1]
        self._thread = Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Refuse connections and break those that are open. Does nothing when stopped already."""
        if self._listener is None or self._thread is None:
            return
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.break_connections()
        self._thread.join()
        self._listener = self._thread = None
        if self._bugs:
            raise RuntimeError("the test server failed") from self._bugs.pop(0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_for(self, condition: Callable[[Self], bool], timeout: float = PATIENCE) -> None:
        """Return when `condition` holds; it is looked at after each request, and often without one.

        What it asks about may come true after the last request: a note, a line of a log.
        Raises TimeoutError after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self.changed:
            while not condition(self):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not within {timeout:g} s; {len(self.requests)} requests came in")
                self.changed.wait(LOOK)

    def answer(self, request: Request) -> Answer:
        """Note a request, answer it and wake those who wait."""
        with self.changed:
            self.requests.append(request)
            try:
                return self.handle(request)
            finally:
                self.changed.notify_all()

    def note_bug(self, bug: BaseException) -> None:
        self._bugs.append(bug)


class _Listener(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: LoopbackServer, port: int) -> None:
        self.owner = owner
        self.stopped = Event()
        self._open: dict[socket, Thread | None] = {}
        self._held: set[Event] = set()
        self._guard = Condition()
        super().__init__(("127.0.0.1", port), _Connection)

    def hold(self, held: Held) -> Response | Cut:
        """Wait as told, then answer; a server that was stopped meanwhile only cuts."""
        with self._guard:
            if self.stopped.is_set():
                return Cut()
            self._held.add(held.until)
        held.until.wait(held.timeout)
        with self._guard:
            self._held.discard(held.until)
        if self.stopped.is_set():
            return Cut()
        with self.owner.changed:
            return held.then() if callable(held.then) else held.then

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        with self._guard:
            self._open[connection] = None
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._guard:
            self._open.pop(request, None)
            self._guard.notify_all()

    def break_connections(self) -> None:
        with self._guard:
            self.stopped.set()
            for event in self._held:
                event.set()
            for connection in self._open:
                break_off(connection)
            if not self._guard.wait_for(lambda: not self._open, PATIENCE):
                raise RuntimeError(f"{len(self._open)} connections did not end")

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        # A client that goes away in the middle is a client's right.
        if error is not None and not isinstance(error, ConnectionError):
            self.owner.note_bug(error)


def break_off(connection: socket) -> None:
    """End a connection in both directions; the other side may have ended it before."""
    try:
        connection.shutdown(SHUT_RDWR)
    except OSError:
        return


class _Connection(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _is_over = False  # the server ends the connection, whatever comes

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks for do_GET, do_POST and so on: a server decides on methods itself.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.wfile.write(Response(411).encode(connection="close"))
            self.close_connection = True
            return
        if self._is_over:
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # who sent it went away in the middle: that is no request
            self.close_connection = True
            return
        target = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(target.path),
            query=parse_qs(target.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        owner = self.server.owner
        answer = owner.answer(request)
        if isinstance(answer, Held):
            answer = self.server.hold(answer)
        if owner.delay:
            self.server.stopped.wait(owner.delay)
        match answer:
            case Response():
                announced = "close" if self.close_connection else "keep-alive"
                self.wfile.write(answer.encode(connection=announced if owner.closing == "announced" else ""))
                if owner.closing != "announced":
                    self._is_over = True
                    self.close_connection = owner.closing == "silent"
            case Cut(within):
                if within is not None:
                    whole = within.encode(connection="keep-alive")
                    begin = whole.index(b"\r\n\r\n") + 4
                    self.wfile.write(whole[: (begin + len(whole)) // 2])
                self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests read `requests`; nothing is printed."""
