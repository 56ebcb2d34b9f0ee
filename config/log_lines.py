"""A log line as a person reads it on a terminal: the clock, what about, what happened, why, what to do."""

import os
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

MOMENTS = frozenset({"until", "at", "again"})  # values that are moments, as text
ALONE = frozenset({"title", "url", "file", "data"})  # values that say by themselves what they are
LOUD = {"warning": "33", "error": "31", "critical": "31"}  # levels that are named, and their colours


class Lines:
    """Renders events for a terminal, in a time zone; what is repeated on every line is left out."""

    def __init__(self, out: TextIO, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._coloured = out.isatty() and not os.environ.get("NO_COLOR")

    def __call__(self, _logger: "WrappedLogger", _method: str, event: "EventDict") -> str:
        """Return one line, and below it where something broke."""
        clock = self._local(event.pop("timestamp", ""))
        level = self._level(str(event.pop("level", "")))
        traces = [str(event.pop(name)) for name in ("stack", "exception") if event.get(name)]
        return "\n".join([f"{clock}  {level}{self._said(event)}", *traces])

    def _said(self, event: "EventDict") -> str:
        """Return `news #3: published (“A title”, 30 posts): why → what to do`."""
        event.pop("logger", None)
        what, reason, step = (_line(event.pop(name, "")) for name in ("event", "reason", "next"))
        channel, thread = event.pop("channel", ""), event.pop("thread", "")
        about = " ".join(filter(None, (_line(channel), f"#{thread}" if thread else "")))
        details = ", ".join(filter(None, (self._detail(name, value) for name, value in event.items())))
        said = f"{about}: {what}" if about else what
        said = f"{said} ({details})" if details else said
        said = f"{said}: {reason}" if reason else said
        return f"{said} → {step}" if step else said

    def _detail(self, name: str, value: object) -> str:
        shown = self._local(str(value)) if name in MOMENTS else _line(value)
        if value is None or shown in {"", "-"}:
            return ""
        return shown if name in ALONE else f"{name} {shown}"

    def _level(self, level: str) -> str:
        if level not in LOUD:
            return ""
        return f"\033[{LOUD[level]}m{level}\033[0m  " if self._coloured else f"{level}  "

    def _local(self, moment: str) -> str:
        """Return the clock of a moment in the zone, with its day where that is another one."""
        try:
            local = datetime.fromisoformat(moment).astimezone(self._zone)
        except ValueError:
            return _line(moment)
        return (
            f"{local:%H:%M:%S}"
            if local.date() == datetime.now(self._zone).date()
            else f"{local:%-d %b %H:%M}"
        )


def _line(value: object) -> str:
    """Return a value fit for one line of a terminal, which nothing in it can drive."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
