"""A file from an https address that a text names: fetched once, when the text is added.

Whoever writes the text chooses the address. So it is fetched from public addresses alone: the name is looked
up once, every answer is judged, and the connection goes to the address that was judged, not to the name.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from threadcast.bot.media.errors import MediaError
from threadcast.bot.plain import plain
from threadcast.queue.sentences import Sentence

REDIRECTS = 3
PATIENCE = 15.0  # seconds without a byte
WHOLE = 120.0  # seconds for all of it
PORT = 443
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # leads to any IPv4 address
_REDIRECTS = {301, 302, 303, 307, 308}
_OK = 200

Connect = Callable[[tuple[str, int], float | None], socket.socket]
LookUp = Callable[..., Sequence[tuple[Any, Any, int, str, tuple[Any, ...]]]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Return whether an address is one of the open internet."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if inner:
            return is_public(str(inner))
        if found in _NAT64:
            return False
    return found.is_global and not found.is_multicast


class Fetcher:
    """Fetches files. `allows` judges an address that a name has, `connect` goes to a judged one."""

    def __init__(
        self,
        allows: Callable[[str], bool] = is_public,
        context: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
        look_up: LookUp = socket.getaddrinfo,
        connect: Connect = socket.create_connection,
    ) -> None:
        self._connect_to = connect
        self._look_up = look_up
        self._allows = allows
        self._context = context
        self._patience = patience

    @contextmanager
    def opened(self, address: str) -> Iterator[BinaryIO]:
        """A context in which what is at an address can be read. Raises MediaError."""
        shown = plain(address)
        try:
            with self._answer(address, shown) as answer:
                yield _Timed(answer, shown)  # type: ignore[misc]  # it can be read
        except ssl.SSLError:
            raise MediaError(
                Sentence("{shown}: its server proves no name; save the file beside the text", shown=shown)
            ) from None
        except TimeoutError:
            raise MediaError(
                Sentence("{shown} answers too slowly; save the file beside the text", shown=shown)
            ) from None
        except (OSError, HTTPException) as error:
            cause = getattr(error, "strerror", None) or type(error).__name__
            raise MediaError(
                Sentence(
                    "{shown} cannot be fetched ({cause}); save the file beside the text",
                    shown=shown,
                    cause=cause,
                )
            ) from None

    @contextmanager
    def _answer(self, address: str, shown: str) -> Iterator[HTTPResponse]:
        for _ in range(REDIRECTS + 1):
            connection = self._connect(address, shown)
            try:
                parts = urlsplit(address)
                path = parts.path or "/"
                query = f"?{parts.query}" if parts.query else ""
                target = (path + query).encode("ascii", "ignore").decode()
                connection.request("GET", target, headers={"User-Agent": "threadcast", "Accept": "*/*"})
                with connection.getresponse() as answer:
                    if answer.status == _OK:
                        yield answer
                        return
                    if answer.status not in _REDIRECTS:
                        raise MediaError(
                            Sentence(
                                "{shown} is answered with {status}; check the address",
                                shown=shown,
                                status=answer.status,
                            )
                        )
                    address = urljoin(address, answer.headers.get("Location", ""))
            finally:
                connection.close()
        raise MediaError(Sentence("{shown} leads on and on; write the address where it ends", shown=shown))

    def _connect(self, address: str, shown: str) -> HTTPSConnection:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port or PORT
        except ValueError:
            parts, host, port = urlsplit(""), None, PORT
        if parts.scheme != "https" or not host or parts.username:
            raise MediaError(
                Sentence(
                    "{shown} is, or leads to, no https address; save the file beside the text", shown=shown
                )
            )
        try:
            known = self._look_up(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise MediaError(
                Sentence(
                    "{shown}: there is no server {host}; check the address", shown=shown, host=plain(host)
                )
            ) from None
        found = [str(one[4][0]) for one in known]
        if not all(map(self._allows, found)):
            raise MediaError(
                Sentence(
                    "{shown} leads into a private network, and is not fetched; save the file beside the text",
                    shown=shown,
                )
            )
        reach = partial(self._connect_to, (found[0], port))
        return _Judged(host, port, reach, context=self._context, patience=self._patience)


class _Judged(HTTPSConnection):
    """A connection to an address that was judged, for the name that it was asked for."""

    def __init__(
        self,
        host: str,
        port: int,
        reach: Callable[[float | None], socket.socket],
        *,
        context: ssl.SSLContext | None,
        patience: float,
    ) -> None:
        context = context or ssl.create_default_context()
        super().__init__(host, port, timeout=patience, context=context)
        self._reach = reach
        self._judged = context

    def connect(self) -> None:
        """Connect, and have the server prove its name."""
        self.sock = self._judged.wrap_socket(self._reach(self.timeout), server_hostname=self.host)


class _Timed:
    """An answer that has to be here whole in a bounded time."""

    def __init__(self, answer: HTTPResponse, shown: str) -> None:
        self._answer = answer
        self._shown = shown
        self._until = time.monotonic() + WHOLE

    def read(self, size: int) -> bytes:
        if time.monotonic() > self._until:
            raise MediaError(
                Sentence("{shown} answers too slowly; save the file beside the text", shown=self._shown)
            )
        return self._answer.read1(min(size, 65536))
