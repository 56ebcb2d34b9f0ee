"""Files from addresses: fetched from the open internet alone, in bounded time, whatever the address says."""

import socket
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.bot.media.drawn import jpeg
from threadcast.bot.media import fetch
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.fetch import Fetcher, is_public
from threadcast.bot.media.store import MediaStore
from threadcast.queue.text.parse import parse

# A key and a certificate for files.example and other.example, of no worth elsewhere.
CERTIFICATE = Path(__file__).with_name("files.example.pem")
LOOPBACK = "127.0.0.1"


class Handler(BaseHTTPRequestHandler):
    slow = Event()

    def do_GET(self) -> None:
        port = self.server.server_port  # type: ignore[attr-defined]  # an HTTP server has it
        answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "/a.jpg": (200, {}, jpeg()),
            "/photo?size=large": (200, {}, jpeg()),
            "/page": (200, {"Content-Type": "text/html"}, b"<!doctype html><title>a page</title>"),
            "/moved": (302, {"Location": "/a.jpg"}, b""),
            "/elsewhere": (301, {"Location": f"https://other.example:{port}/a.jpg"}, b""),
            "/round": (302, {"Location": "/round"}, b""),
            "/home": (302, {"Location": f"https://home.example:{port}/a.jpg"}, b""),
            "/again": (302, {"Location": "/a.jpg"}, b""),
            "/plain": (302, {"Location": "http://files.example/a.jpg"}, b""),
        }
        if self.path == "/slow":
            self.slow.wait(10)
        if self.path.startswith("/to?"):
            answers[self.path] = (302, {"Location": f"https://{self.path[4:]}:{port}/a.jpg"}, b"")
        status, headers, body = answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Handler.slow.clear()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    Handler.slow.set()
    server.shutdown()
    thread.join()
    server.server_close()


# What names lead to here: two public servers, whose address is this machine's for the test.
NAMES = {
    "files.example": LOOPBACK,
    "other.example": LOOPBACK,
    "home.example": "192.168.0.7",
    "two.example": f"{LOOPBACK} 10.0.0.1",
}


def look_up(host: str, port: int, **_: Any) -> list[tuple[Any, Any, int, str, tuple[Any, ...]]]:
    if host not in NAMES:
        raise socket.gaierror(-2, "Name or service not known")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in NAMES[host].split()]


def fetcher(allows: Callable[[str], bool] = lambda one: one == LOOPBACK, patience: float = 5) -> Fetcher:
    return Fetcher(allows, ssl.create_default_context(cafile=str(CERTIFICATE)), patience, look_up)


@pytest.mark.parametrize("path", ["/a.jpg", "/photo?size=large", "/moved", "/elsewhere"])
def test_a_file_is_fetched(tmp_path: Path, port: int, path: str) -> None:
    """A file at an address is fetched and kept, through redirects and to other servers."""
    (thread,) = parse(f"1/ Bread\n![](https://files.example:{port}{path})")
    (media,) = Attacher(MediaStore(tmp_path), fetcher()).attach(thread, None).media
    assert media.file is not None
    assert (media.file.mime, media.file.width) == ("image/jpeg", 60)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://files.example:{port}/none", "is answered with 404; check the address"),
        ("https://files.example:{port}/page", "is a web page; write the address of the picture itself"),
        ("https://files.example:{port}/round", "leads on and on"),
        ("https://files.example:{port}/home", "leads into a private network, and is not fetched"),
        ("https://files.example:{port}/plain", "is, or leads to, no https address"),
        ("https://nowhere.example/a.jpg", "there is no server nowhere.example"),
        ("https://home.example/a.jpg", "leads into a private network"),
        ("https://two.example/a.jpg", "leads into a private network"),
        ("http://files.example/a.jpg", "is, or leads to, no https address"),
        ("ftp://files.example/a.jpg", "is, or leads to, no https address"),
        ("https://ada:secret@files.example/a.jpg", "is, or leads to, no https address"),
        ("https://[::1/a.jpg", "is, or leads to, no https address"),
        ("https://files.example:99999/a.jpg", "is, or leads to, no https address"),
    ],
)
def test_what_is_not_fetched(tmp_path: Path, port: int, address: str, said: str) -> None:
    """An address that is wrong, or leads into a private network by whatever way, is refused in a sentence."""
    (thread,) = parse(f"1/ Bread\n![](<{address.format(port=port)}>)")
    with pytest.raises(MediaError, match=said) as caught:
        Attacher(MediaStore(tmp_path), fetcher()).attach(thread, None)
    assert str(caught.value).startswith("line 2: ")
    assert list(tmp_path.rglob("*")) == [] or "web page" in said


PUBLIC = "93.184.215.14"


class Internet:
    """Where the one public address is the test's server: what is judged and connected to is as out there."""

    def __init__(self, *answers: str) -> None:
        self.answers = [PUBLIC, *answers]  # of the name server about files.example; the last one from then on
        self.reached: list[str] = []

    def look_up(self, host: str, port: int, **how: Any) -> Any:
        if host != "files.example":
            return socket.getaddrinfo(host, port, **how)  # an address: nobody is asked
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(self, address: tuple[str, int], patience: float | None) -> socket.socket:
        self.reached.append(address[0])
        assert address[0] == PUBLIC
        return socket.create_connection((LOOPBACK, address[1]), patience)

    def fetcher(self) -> Fetcher:
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        return Fetcher(context=context, patience=5, look_up=self.look_up, connect=self.connect)


def test_a_public_server(port: int) -> None:
    """By the judge that is in use, a file on a public server is fetched, through a redirect too."""
    there = Internet()
    with there.fetcher().opened(f"https://files.example:{port}/again") as file:
        assert file.read(3) == jpeg()[:3]
    assert there.reached == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    "target",
    [
        *("127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "[fd00::1]"),
        *("127.1", "2130706433", "0x7f.0.0.1", "0.0.0.0"),
    ],
)
def test_a_redirect_into_a_private_network(port: int, target: str) -> None:
    """A public server that leads to this machine, or into a private network, is not followed there."""
    there = Internet()
    opened = there.fetcher().opened(f"https://files.example:{port}/to?{target}")
    with pytest.raises(MediaError, match="leads into a private network"), opened:
        pass
    assert there.reached == [PUBLIC]


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.0.7", "169.254.169.254"])
def test_a_name_that_changes_its_address(port: int, address: str) -> None:
    """A name that was public when it was judged is connected to there; looked up anew, it is judged anew."""
    there = Internet(address)
    with there.fetcher().opened(f"https://files.example:{port}/a.jpg") as file:
        assert file.read(3) == jpeg()[:3]
    assert there.reached == [PUBLIC]
    there = Internet(address)
    opened = there.fetcher().opened(f"https://files.example:{port}/again")
    with pytest.raises(MediaError, match="leads into a private network"), opened:
        pass
    assert there.reached == [PUBLIC]


def test_a_server_that_answers_slowly(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer in time is given up, at once and in the middle."""
    slow = fetcher(patience=0.2).opened(f"https://files.example:{port}/slow")
    with pytest.raises(MediaError, match="answers too slowly"), slow:
        pass
    monkeypatch.setattr(fetch, "WHOLE", -1.0)
    whole = fetcher().opened(f"https://files.example:{port}/a.jpg")
    with pytest.raises(MediaError, match="answers too slowly"), whole as file:
        file.read(100)


def test_a_server_that_cannot_prove_its_name(port: int) -> None:
    """A server whose certificate nobody vouches for is not asked."""
    untrusted = Fetcher(lambda _: True, look_up=look_up).opened(f"https://files.example:{port}/a.jpg")
    with pytest.raises(MediaError, match="its server proves no name"), untrusted:
        pass


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as closed:
        closed.bind((LOOPBACK, 0))
        address = f"https://files.example:{closed.getsockname()[1]}/a.jpg"
        with pytest.raises(MediaError, match="cannot be fetched"), fetcher().opened(address):
            pass


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1"),
        *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_private_addresses(address: str) -> None:
    """Addresses of this machine, of private networks and of no single machine are not public."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)
