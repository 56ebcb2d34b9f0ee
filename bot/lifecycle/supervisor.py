"""What started the service and watches over it, where that is systemd: told by its sd_notify protocol.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

from threadcast.config.logs import get_logger

log = get_logger("threadcast.supervisor")


async def told_until(stop: asyncio.Event) -> None:
    """Say that the service runs, then that its loop turns, until a stop is asked for; then that it stops."""
    _tell("READY=1")
    beat = _beat(os.environ)
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), beat)
            if beat is not None:
                _tell("WATCHDOG=1")
    finally:
        _tell("STOPPING=1")


def _beat(environ: Mapping[str, str]) -> float | None:
    """Return after how many seconds to say again that the loop turns: half of what is waited for it."""
    span, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    ours = span.isdecimal() and int(span) > 0 and whose in {"", str(os.getpid())}
    return int(span) / 1_000_000 / 2 if ours else None


def _tell(state: str) -> None:
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place  # of Linux's namespace without files
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaking:
            speaking.setblocking(False)
            speaking.sendto(state.encode(), address)
    except OSError as error:
        log.warning("the supervisor cannot be told", state=state, reason=error.strerror)
