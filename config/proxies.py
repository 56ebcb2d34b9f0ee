"""The proxy by which other machines are reached, as the environment names it for all programs.

HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case; HTTP_PROXY is for plain http, which never leaves this
machine. https://everything.curl.dev/usingcurl/proxies/env.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from threadcast.config.types import is_loopback

FORMS = "http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before HOST where it asks for one"
_SCHEMES = {"http": "http", "https": "https", "socks": "socks5h", "socks5": "socks5h", "socks5h": "socks5h"}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: `address` may hold a password, `shown` is the same without. It looks names up itself."""

    address: str = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class Proxies:
    """The one that is configured, None where there is none, and which hosts are reached without."""

    proxy: Proxy | None = None
    without: str = ""

    def way_to(self, address: str) -> Proxy | None:
        """Return the proxy by which an https address is reached; None: without one."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        if parts.scheme != "https" or is_loopback(host):
            return None
        named = (each.strip().lower().removeprefix("*").strip(".") for each in self.without.split(","))
        bare = "*" in self.without.replace(" ", "").split(",") or any(
            each and f".{host}".endswith(f".{each.removesuffix(f':{parts.port or 443}')}") for each in named
        )
        return None if bare else self.proxy

    def secrets(self) -> tuple[str, ...]:
        """Return its password, as written and decoded."""
        written = urlsplit(self.proxy.address).password if self.proxy else None
        return (written, unquote(written)) if written else ()


DIRECT = Proxies()


def proxies_of(environ: Mapping[str, str]) -> Proxies | str:
    """Return what the environment names; the variable's name where it cannot be read."""
    without = _first(environ, "NO_PROXY")[1]
    for variable in ("HTTPS_PROXY", "ALL_PROXY"):
        name, value = _first(environ, variable)
        if value:
            proxy = _read(value)
            return name if proxy is None else Proxies(proxy, without)
    return Proxies(None, without)


def _first(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable in lower case where there is one, as other programs do, and its value."""
    spelling = name.lower() if environ.get(name.lower(), "").strip() else name
    return spelling, environ.get(spelling, "").strip()


def _read(value: str) -> Proxy | None:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        scheme, port = _SCHEMES.get(parts.scheme), parts.port
    except ValueError:
        return None
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.netloc.count("@") > 1
    if scheme is None or not parts.hostname or more or not parts.netloc.isascii() or not value.isprintable():
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{host}:{port}" if port is not None else host
    return Proxy(f"{scheme}://{parts.netloc}", f"{scheme.removesuffix('h')}://{place}")
