"""A small proxy on loopback: HTTP (forwarding and CONNECT) and SOCKS 5, with a password where it has one.

Whatever host is asked for, it leads to one server on loopback, so that tests may name hosts that are nowhere.
"""

import base64
import socket
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

USER, PASSWORD = "reader", "p@ss:word"


class Proxy(ThreadingTCPServer):
    """`asked` has the places that it was asked for; `locked`: who has no password is refused."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: str, *, locked: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(target)
        self.target = (parts.hostname, parts.port)
        self.locked = locked
        self.asked: list[str] = []
        self._thread = Thread(target=self.serve_forever, args=(0.01,))

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with suppress(OSError):
            if self.connection.recv(1, socket.MSG_PEEK) == b"\x05":
                self._socks()
            else:
                self._http()

    def _http(self) -> None:
        line = self.rfile.readline().decode()
        headers = {}
        while name := (header := self.rfile.readline().decode()).partition(":")[0].strip().lower():
            headers[name] = header.partition(":")[2].strip()
        method, place, _ = line.split()
        self.server.asked.append(f"{method} {place}")
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.server.locked and headers.get("proxy-authorization") != expected:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if method == "CONNECT":
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._join(b"")
            return
        headers["connection"] = "close"
        path = place.split("/", 3)[3]
        head = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._join("\r\n".join([*head, "", ""]).encode())

    def _socks(self) -> None:
        """https://www.rfc-editor.org/rfc/rfc1928, and 1929 for the password."""
        self.rfile.read(self.rfile.read(2)[1])
        if self.server.locked:
            self.wfile.write(b"\x05\x02")
            self.rfile.read(1)
            user = self.rfile.read(self.rfile.read(1)[0]).decode()
            word = self.rfile.read(self.rfile.read(1)[0]).decode()
            if (user, word) != (USER, PASSWORD):
                self.wfile.write(b"\x01\x01")
                return
            self.wfile.write(b"\x01\x00")
        else:
            self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        assert kind == 3, "a name, which the proxy is to look up"
        host = self.rfile.read(self.rfile.read(1)[0]).decode()
        port = int.from_bytes(self.rfile.read(2), "big")
        self.server.asked.append(f"SOCKS {host}:{port}")
        self.wfile.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        self._join(b"")

    def _join(self, first: bytes) -> None:
        """Pass on what either side says, until one of them has said all."""
        with socket.create_connection(self.server.target) as server:
            server.sendall(first)
            back = Thread(target=_pump, args=(server, self.connection))
            back.start()
            while data := self.rfile.read1(65536):
                server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
