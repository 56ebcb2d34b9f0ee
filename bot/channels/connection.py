"""Why a server could not be reached, or broke off, whichever library made the call. Pure.

Libraries tell it in errors within errors; what is at the bottom is Python's own.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from enum import Enum

from threadcast.queue.sentences import Sentence

_AWAY = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
}
_DEPTH = 16  # errors within errors


class Trouble(Enum):
    """What is wrong with the connection, in the words that end "… cannot be reached: "."""

    NAME = Sentence("its name cannot be looked up")
    CLOSED = Sentence("nothing answers there")
    AWAY = Sentence("there is no way there from this machine")
    CERTIFICATE = Sentence("its certificate is not trusted; check the address, and the clock of this machine")
    SECURE = Sentence("no secure connection can be made")
    LATE = Sentence("it did not answer in time")
    BROKEN = Sentence("the connection broke")
    BUSY = Sentence("too many calls are under way")
    PROXY = Sentence("the proxy does not let us through; check its address, user and password")


def trouble_of(error: BaseException | None) -> Trouble:
    """Return what is at the bottom of an error of a connection."""
    found = [one for each in _within(error) if (one := _judged(each)) is not None]
    return min(found, key=list(Trouble).index, default=Trouble.BROKEN)


def _judged(error: BaseException) -> Trouble | None:  # noqa: PLR0911  # one each
    match error:
        case socket.gaierror():
            return Trouble.NAME
        case ConnectionRefusedError():
            return Trouble.CLOSED
        case OSError(errno=number) if number in _AWAY:
            return Trouble.AWAY
        case ssl.SSLCertVerificationError():
            return Trouble.CERTIFICATE
        case ssl.SSLError():
            return Trouble.SECURE
        case TimeoutError():
            return Trouble.LATE
        case _:
            return None


def _within(error: BaseException | None, depth: int = _DEPTH) -> Iterator[BaseException]:
    """Return an error and all that are in it, by whatever way its library put them there."""
    if error is None or not depth:
        return
    yield error
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    inner += getattr(error, "exceptions", ())
    for each in inner:
        if isinstance(each, BaseException):
            yield from _within(each, depth - 1)


def unreached(whom: str, trouble: Trouble, proxy: str = "") -> str:
    """Return that somebody cannot be reached, why, and by which proxy."""
    about = {"whom": whom, "proxy": proxy, "trouble": trouble.value}
    if proxy:
        return Sentence("{whom} cannot be reached by the proxy {proxy}: {trouble}", **about)
    return Sentence("{whom} cannot be reached: {trouble}", **about)
