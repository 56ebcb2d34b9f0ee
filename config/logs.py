"""Structured logs through one handler, in which no secret passes.

Whatever is logged, by us or by a library, is made text here, looked through and only then written.
"""

import json
import logging
import os
import re
import sys
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import UTC, tzinfo
from functools import cache, partial
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO
from urllib.parse import quote

from threadcast.config.log_lines import Lines

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]

MASK = "***"

FILE = "service.log"  # of the data folder
OLDER = f"{FILE}.1"
FILE_SIZE = 1_000_000  # bytes; then it becomes the older one

_SHORTEST = 3  # letters; what is shorter is found in any text
_LONG = 8  # bytes; what is shorter is found in base64 of anything

_DEPTH = 8  # containers within containers; deeper ones, and those that hold themselves, become text

# These log every request, with addresses that hold a bot's token.
_VERBOSE = (
    *("alembic", "apscheduler", "httpcore", "httpx", "procrastinate", "psycopg"),
    *("telegram", "urllib3", "uvicorn", "watchfiles"),
)

# What looks like a secret is one, known or not.
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![0-9])[0-9]+:[A-Za-z0-9_-]{20,}"), MASK),  # a bot's token
    (re.compile(r"/bot[0-9]+:[^\s/'\"]+"), f"/bot{MASK}"),  # and in the address of a Bot API server
    (re.compile(r"(\bbearer\s+)[A-Za-z0-9._~+/-]+=*", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(://[^\s/:@\"'<>]*:)[^\s/@\"'<>]+@"), rf"\1{MASK}@"),  # a password in a URL
)

_START = re.compile(r"(t\.me/[A-Za-z0-9_]+\?start=)[A-Za-z0-9_-]+")

_later: list[Callable[[], None]] = []  # what configures with the first line
_concealed: set[str] = set()  # in every form, of all secrets of this process


class _Logger:
    """A structlog logger that imports it with the first line: most commands of the shell log nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        import structlog  # noqa: PLC0415  # see above

        for configured in _later[:]:
            configured()
        return getattr(structlog.get_logger(self._name), attribute)


def get_logger(name: str) -> Any:
    """Return the logger of a room, as `structlog.get_logger` does."""
    return _Logger(name)


def conceal(secrets: Iterable[str]) -> None:
    """Have `redact` hide these from now on, apart from those too short to be told from other text."""
    _concealed.update(form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret))
    _longest_first.cache_clear()


def forget_secrets() -> None:
    """Undo every `conceal`, so that one test does not hide what another one shows."""
    _concealed.clear()
    _longest_first.cache_clear()


def redact(text: str) -> str:
    """Return a text with MASK in place of every concealed secret and of what looks like a secret.

    A secret is also found as it reads in a URL, in JSON, in Python's repr and in base64.
    """
    forms = _longest_first()
    # What is longer than the text is not in it, which spares most texts all: names, numbers, words.
    for form in forms[bisect_left(forms, -len(text), key=_shortness) :]:
        text = text.replace(form, MASK)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def _shortness(form: str) -> int:
    return -len(form)


@cache
def _longest_first() -> tuple[str, ...]:
    """Return what is concealed in an order in which a secret that begins with another one is hidden whole."""
    return tuple(sorted(_concealed, key=_shortness))


def _forms(secret: str) -> tuple[str, ...]:
    return (
        secret,
        quote(secret, safe="", errors="surrogatepass"),
        quote(secret, errors="surrogatepass"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr('"' + secret)[2:-1],  # beside a double quote, repr escapes a single one
        ascii(secret)[1:-1],
        repr(secret.encode(errors="surrogatepass"))[2:-1],
        *_coded(secret),
    )


def _coded(secret: str) -> Iterator[str]:
    """Return a long secret in base64, as `Authorization: Basic` has it, wherever in that it stands."""
    data = secret.encode(errors="surrogatepass")
    if len(data) >= _LONG:
        for lead in range(3):
            begin = (lead * 8 + 5) // 6  # the first character that is the secret's alone
            whole = (lead + len(data)) * 8 // 6  # and the first that is not
            yield b64encode(b"\0" * lead + data).decode()[begin:whole]


def configure_later(level: Level, format: Format, *, zone: tzinfo = UTC) -> None:  # noqa: A002 - as below
    """Configure with the first line of ours, if there is one; until then libraries say nothing.

    Without any handler Python itself prints what libraries warn of, and structlog what we do: answers,
    tokens and all.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    _later[:] = [partial(configure, level, format, zone=zone)]


def configure(
    level: Level,
    format: Format,  # noqa: A002 - the setting's own name
    *,
    zone: tzinfo = UTC,
    stream: TextIO | None = None,
    file: Path | None = None,
) -> None:
    """Send all logs of the process, in this format and redacted, to a stream (standard error).

    Takes the place of handlers installed before, for they would let secrets pass. `auto` is text
    for a person on a terminal, with the clock of `zone`, and JSON in a pipe. To `file` goes the same as
    JSON, without the codes of links that let people in: it stays.
    """
    import structlog  # noqa: PLC0415  # see `_Logger`

    _later.clear()
    out = sys.stderr if stream is None else stream
    json_lines = structlog.processors.JSONRenderer(ensure_ascii=False)
    on_terminal = format == "console" or (format == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handlers: dict[logging.Handler, Processor] = {
        _Handler(out): Lines(out, zone) if on_terminal else json_lines
    }
    if file is not None:
        handlers[_File(file)] = lambda *event: _START.sub(rf"\1{MASK}", str(json_lines(*event)))
    for handler, renderer in handlers.items():
        handler.addFilter(_is_no_end)
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.StackInfoRenderer(),
                    structlog.processors.format_exc_info,
                    _redact_event,
                    renderer,
                ],
            )
        )
    root = logging.getLogger()
    for before in root.handlers:
        before.close()
    root.handlers[:] = list(handlers)
    root.setLevel(level.upper())
    for name in _VERBOSE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def _is_no_end(record: logging.LogRecord) -> bool:
    """Leave out work that the end of the service cut off: APScheduler calls it an error, with a trace."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "CancelledError"


class _Handler(logging.StreamHandler[TextIO]):
    """A handler whose own failures do not tell what they failed on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Say that a line was lost: the library's own way prints its arguments as they are."""
        kind = sys.exc_info()[0]
        if kind is not None and logging.raiseExceptions:
            with suppress(OSError):  # standard error itself may be what failed
                sys.stderr.write(f"a log line of {record.name} was lost: {kind.__name__}\n")


class _File(RotatingFileHandler):
    """A file for its owner only, of bounded size. What it cannot take is in the stream all the same."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_SIZE, backupCount=1, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Leave it at that."""


def _redact_event(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    """Leave nothing in an event but text, numbers and redacted containers of them."""
    return {redact(str(key)): _redact_value(value, _DEPTH) for key, value in event.items()}


def _redact_value(value: object, depth: int) -> object:
    match value:
        case None | bool():
            return value
        case int() | float():
            return value if redact(str(value)) == str(value) else MASK
        case str():
            return redact(value)
        case Mapping() if depth:
            return {redact(str(key)): _redact_value(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | AbstractSet() if depth:
            return [_redact_value(item, depth - 1) for item in value]
        case _:
            return redact(repr(value))
