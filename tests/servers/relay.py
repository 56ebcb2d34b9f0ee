"""A way to a server on which every byte to it is counted; it may be a TLS server, or a proxy's."""

import socket
import ssl
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import SHUT_RDWR, SHUT_WR, create_connection
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from time import monotonic, sleep
from typing import Literal, Self

from tests.servers.http import LoopbackServer, break_off

# Made for these tests: good for 127.0.0.1 and nothing else, and for a hundred years.
CERTIFICATE = Path(__file__).parent / "tls" / "certificate.pem"
KEY = CERTIFICATE.with_name("key.pem")

Manner = Literal["plain", "tls", "tunnel"]

TCP = Path("/proc/net/tcp")
SYN_SENT = "02"  # https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
PATIENCE = 10.0  # seconds


class Relay:
    """Passes connections on to `server`; `bytes_up` is how many bytes came for it so far.

    `manner` is how they come: as they are, through TLS, or through TLS within a proxy's tunnel.
    """

    def __init__(self, server: LoopbackServer, manner: Manner = "plain") -> None:
        self.bytes_up = 0
        self.manner: Manner = manner
        self._open: set[socket.socket] = set()
        self._waiting = ExitStack()
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                relay._open.add(self.request)
                with suppress(OSError), relay._welcome(self.request) as mine:
                    relay._pass_on(mine, server.port)
                relay._open.discard(self.request)

        self._listener = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._port = int(self._listener.server_address[1])
        self._thread = Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{'http' if self.manner == 'plain' else 'https'}://127.0.0.1:{self._port}"

    def fall_deaf(self) -> None:
        """Break off what is connected, and leave who connects from now on without an answer."""
        self._listener.shutdown()
        for one in tuple(self._open):
            with suppress(OSError):
                one.shutdown(SHUT_RDWR)
        while not self.callers():
            caller = self._waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", self._port))

    def callers(self) -> int:
        """How many connections to this relay are asked for and not made. Linux tells."""
        here = f"0100007F:{self._port:04X}"
        rows = [row.split() for row in TCP.read_text().splitlines()[1:]]
        return sum(row[2] == here and row[3] == SYN_SENT for row in rows)

    def wait_for_callers(self, count: int) -> None:
        """Until so many are waiting. Raises TimeoutError."""
        until = monotonic() + PATIENCE
        while self.callers() < count:
            if monotonic() > until:
                raise TimeoutError(f"{self.callers()} callers after {PATIENCE:g} s")
            sleep(0.001)

    def _welcome(self, caller: socket.socket) -> socket.socket:
        if self.manner == "plain":
            return caller
        if self.manner == "tunnel":
            asked = b""
            while not asked.endswith(b"\r\n\r\n"):
                asked += caller.recv(65536)
            caller.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        return context.wrap_socket(caller, server_side=True)

    def _pass_on(self, caller: socket.socket, port: int) -> None:
        with create_connection(("127.0.0.1", port)) as onward:
            back = Thread(target=_pour, args=(onward, caller), daemon=True)
            back.start()
            while piece := caller.recv(65536):
                self.bytes_up += len(piece)
                onward.sendall(piece)
            break_off(onward)
            back.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.close()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(SHUT_WR)
    except OSError:  # whoever goes away is free to
        return
