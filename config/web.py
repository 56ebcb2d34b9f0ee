"""Where the page is served, under which address people reach it, and whom the service tells by itself."""

import ipaddress
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from threadcast.config.documented import Doc
from threadcast.config.types import AdviceError, Endpoint, HookSecret, is_loopback, listener

WEBHOOK_PATH = "/telegram/updates"  # of the page, where Telegram brings updates


class Listener(NamedTuple):
    """A host, which is an address or `localhost`, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _listener(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = listener(value)
    return None if found is None else Listener(*found)


def _reached_by_https(found: Listener | None, info: ValidationInfo) -> Listener | None:
    if found is not None and not is_loopback(found.host) and info.data.get("url") is None:
        raise AdviceError("others reach it there: name its https:// address in THREADCAST_WEB__URL")
    return found


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(_network(one.strip()) for one in value.split(",") if one.strip())


def _network(value: str) -> Network:
    if value == "*":
        raise AdviceError("whoever is believed can pretend to be anybody: name your proxy's own address")
    found = ipaddress.ip_network(value, strict=False)
    if not found.prefixlen:
        raise AdviceError("that is everybody: name your proxy's own address")
    if "/" in value and str(found.network_address) != value.partition("/")[0].lower():
        raise AdviceError(f"a network is written by its first address: {found}")
    return found


class WebSettings(BaseModel):
    """`listen` None: there is no page. `url` None: it is opened on this machine alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[
        Endpoint | None,
        Doc(
            "the address under which people open the page, where a proxy stands before it",
            "an https:// address (http:// for this machine only)",
            "https://threads.example.org",
            "http:// and LISTEN",
        ),
    ] = None
    listen: Annotated[
        Listener | None,
        BeforeValidator(_listener),
        AfterValidator(_reached_by_https),
        Doc(
            "where the service shows its page",
            "an address and a port of this machine, or off",
            "127.0.0.1:8480",
        ),
    ] = Listener("127.0.0.1", 8480)
    proxies: Annotated[
        tuple[Network, ...],
        BeforeValidator(_networks),
        Doc(
            "the proxies before the page that are believed who asks (X-Forwarded-For, -Proto)",
            "IP addresses or networks, with commas between",
            "127.0.0.1,10.0.0.0/8",
            "nobody",
        ),
    ] = ()

    @property
    def address(self) -> str:
        """Return the address under which the page is opened."""
        return self.url or f"http://{self.listen}"


def _signed(url: str | None, info: ValidationInfo) -> str | None:
    if url is not None and info.data.get("secret") is None:
        raise AdviceError("write the secret that signs what is told there into THREADCAST_HOOKS__SECRET")
    return url


class HookSettings(BaseModel):
    """`url` None: nobody is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: Annotated[
        HookSecret | None,
        Doc(
            "the secret that signs what is sent to that address",
            "16 characters or more, without blanks",
            "a-long-random-secret",
        ),
    ] = None
    url: Annotated[
        Endpoint | None,
        AfterValidator(_signed),
        Doc(
            "the address that is told what was published, stopped, is unsure, or waits for approval",
            "an https:// address (http:// for this machine only)",
            "https://example.org/threadcast",
        ),
    ] = None
