"""A way to a server on which every byte to it is counted, and every connection."""

from socket import SHUT_WR, create_connection, socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Self

from tests.servers.http import LoopbackServer, break_off


class Relay:
    """Passes connections on to `server`; `bytes_up` is how many bytes came for it so far."""

    def __init__(self, server: LoopbackServer) -> None:
        self.connections = 0
        self.bytes_up = 0
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                relay.connections += 1
                with create_connection(("127.0.0.1", server.port)) as onward:
                    back = Thread(target=_pour, args=(onward, self.request), daemon=True)
                    back.start()
                    while piece := self.request.recv(65536):
                        relay.bytes_up += len(piece)
                        onward.sendall(piece)
                    break_off(onward)
                    back.join()

        self._listener = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._thread = Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


def _pour(source: socket, target: socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(SHUT_WR)
    except OSError:  # whoever goes away is free to
        return
