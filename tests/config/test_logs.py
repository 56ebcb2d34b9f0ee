"""What reaches the log, and what never does."""

import asyncio
import io
import json
import logging
import tomllib
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from threadcast.config.logs import MASK, conceal, configure, forget_secrets, redact

TOKEN = "123456789:AAF-abcdefghijklmnopqrstuvwxyz0123"
PASSWORD = 'it\'s "quoted" \\ and näh/dran'
LINES = tomllib.loads(Path(__file__).with_name("log_lines_cases.toml").read_text(encoding="utf-8"))["lines"]
SECRETS = (TOKEN, PASSWORD, "masto-token")


def unescaped_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["json", "console", "auto"])
def stream(request: pytest.FixtureRequest) -> io.StringIO:
    """A configured log, at debug, in each format."""
    stream = io.StringIO()
    conceal(SECRETS)
    configure("debug", request.param, stream=stream)
    return stream


def clean(stream: io.StringIO) -> str:
    """What was logged, once it is sure that no secret is in it, in any guise."""
    text = stream.getvalue()
    assert text
    for secret in ("AAF-abc", "quoted", "dran", "masto-token"):
        assert secret not in text
    return text


class Holder:
    """An object whose repr tells too much."""

    def __repr__(self) -> str:
        return f"<Holder of {TOKEN} and {PASSWORD!r}>"


class TestNoSecretPasses:
    """Every way into the log."""

    def test_arguments(self, stream: io.StringIO) -> None:
        """Arguments of the standard library's loggers are looked through, whatever they are."""
        log = logging.getLogger("some.library")
        log.debug("token %s, password %r", TOKEN, PASSWORD)
        log.info("%(token)s", {"token": TOKEN})
        log.warning("%s %s", Holder(), [SECRETS])
        log.error("in the message: " + TOKEN)  # noqa: G003 - this is the way that is tested
        log.error("bytes %r", PASSWORD.encode())
        assert clean(stream).count("\n") == 5

    def test_extra(self, stream: io.StringIO) -> None:
        """Extra attributes are looked through."""
        logging.getLogger("some.library").info("hello", extra={"headers": {"token": TOKEN}, TOKEN: 1})
        assert "headers" in clean(stream)

    def test_exceptions(self, stream: io.StringIO) -> None:
        """Exceptions, their causes and notes, and stacks are looked through."""
        try:
            try:
                int(TOKEN)
            except ValueError as error:
                problem = RuntimeError(PASSWORD, Holder())
                problem.add_note(f"see {TOKEN}")
                raise problem from error
        except RuntimeError as caught:
            logging.getLogger("a").exception("failed")
            logging.getLogger("a").info("%s", caught, stack_info=True)
            structlog.get_logger("b").exception("failed", error=caught)
            structlog.get_logger("b").error("failed", exc_info=caught, stack_info=True)
        text = clean(stream)
        assert text.count("RuntimeError") >= 4
        assert text.count("ValueError") == 3
        assert "Stack (most recent call last)" in text

    def test_nested(self, stream: io.StringIO) -> None:
        """Values of structured events are looked through, however deep, keys included."""
        endless: dict[str, Any] = {"token": TOKEN}
        endless["self"] = endless
        structlog.get_logger("b").debug(
            "hello " + TOKEN,
            nested={"a": [{"b": (TOKEN, {PASSWORD})}], TOKEN: 1, 5: b"masto-token"},
            endless=endless,
            thing=Holder(),
            number=7,
            ratio=0.5,
            yes=True,
            nothing=None,
            **{PASSWORD: "x"},
        )
        assert "number" in clean(stream)

    def test_positional(self, stream: io.StringIO) -> None:
        """Percent formatting of structured loggers is looked through."""
        structlog.get_logger("b").info("token %s and %r", TOKEN, PASSWORD)
        assert MASK in clean(stream)

    def test_context(self, stream: io.StringIO) -> None:
        """Bound context is looked through, that of the task included."""
        structlog.contextvars.bind_contextvars(password=PASSWORD, channel="news")
        structlog.get_logger("b").bind(token=TOKEN).info("hello")
        logging.getLogger("a").info("hello")
        assert clean(stream).count("news") == 2

    def test_warnings(self, stream: io.StringIO) -> None:
        """Warnings of Python's own go through the log."""
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            configure("info", "json", stream=stream)
            warnings.warn(f"deprecated: {TOKEN}", DeprecationWarning, stacklevel=1)
            logging.captureWarnings(capture=False)
        assert "DeprecationWarning" in clean(stream)

    @pytest.mark.parametrize(
        ("raises", "said"), [(True, "a log line of some.library was lost: TypeError\n"), (False, "")]
    )
    def test_a_line_that_fails(self, raises: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A line that cannot be made is said to be lost, without its arguments, or nothing is."""
        logging.raiseExceptions = raises
        stream = io.StringIO()
        configure("info", "json", stream=stream)
        logging.getLogger("some.library").info("%d items", TOKEN)
        assert (stream.getvalue(), capsys.readouterr().err) == ("", said)


class TestFormats:
    """How a line looks."""

    def test_json(self) -> None:
        """A JSON line has time in UTC, level, logger, event and what was bound to it."""
        stream = io.StringIO()
        configure("info", "json", stream=stream)
        structlog.get_logger("threadcast.publisher").info("sent", post=7, url="https://e.example/é")
        logging.getLogger("library").warning("%s to go", 3)
        ours, theirs = map(json.loads, stream.getvalue().splitlines())
        assert ours.pop("timestamp").endswith("Z")
        assert ours == {
            "event": "sent",
            "level": "info",
            "logger": "threadcast.publisher",
            "post": 7,
            "url": "https://e.example/é",
        }
        assert (theirs["event"], theirs["level"], theirs["logger"]) == ("3 to go", "warning", "library")

    @pytest.mark.parametrize(
        ("chosen", "stream", "colours"),
        [
            ("auto", io.StringIO, False),
            ("auto", Terminal, True),
            ("console", io.StringIO, False),
            ("json", Terminal, False),
        ],
    )
    def test_colours(
        self, chosen: Any, stream: type[io.StringIO], colours: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Text is for terminals and JSON for pipes, unless it is asked for; colours are for terminals."""
        out = stream()
        configure("info", chosen, stream=out)
        structlog.get_logger("a").warning("hello", post=7)
        assert ("\x1b[" in out.getvalue()) is colours
        assert out.getvalue().startswith("{") is (
            chosen == "json" or (chosen, stream) == ("auto", io.StringIO)
        )
        monkeypatch.setenv("NO_COLOR", "1")
        configure("info", chosen, stream=out)
        structlog.get_logger("a").warning("once more", post=7)
        assert "\x1b[" not in out.getvalue().splitlines()[-1]

    @pytest.mark.parametrize(("level", "event", "values", "line"), LINES)
    def test_for_a_person(self, level: str, event: str, values: list[list[Any]], line: str) -> None:
        """A line has the clock of the zone, what about, what happened, why and what to do; no key=value."""
        stream = io.StringIO()
        configure("debug", "console", zone=ZoneInfo("Asia/Kolkata"), stream=stream)
        getattr(structlog.get_logger("a"), level)(event, **dict(values))
        clock, said = stream.getvalue().rstrip("\n").split("  ", 1)
        assert said == line
        local = datetime.now(ZoneInfo("Asia/Kolkata"))
        shown = datetime.strptime(clock, "%H:%M:%S")  # noqa: DTZ007  # a clock alone
        assert (
            abs((shown.hour * 60 + shown.minute) - (local.hour * 60 + local.minute)) <= 1 or local.hour == 0
        )

    def test_standard_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where no stream is given, lines go to standard error."""
        configure("info", "json")
        logging.getLogger("a").info("hello")
        captured = capsys.readouterr()
        assert captured.out == ""
        assert json.loads(captured.err)["event"] == "hello"

    def test_level(self) -> None:
        """Below the level nothing is logged, by us or by a library."""
        stream = io.StringIO()
        configure("warning", "json", stream=stream)
        structlog.get_logger("a").info("no")
        logging.getLogger("a").info("no")
        structlog.get_logger("a").warning("yes")
        assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["yes"]

    @pytest.mark.parametrize(
        "name",
        ["httpx", "httpcore.http11", "apscheduler.scheduler", "telegram.ext", "urllib3", "alembic.runtime"],
    )
    def test_verbose_libraries(self, name: str) -> None:
        """Libraries that tell every request are heard from warnings up, at least."""
        loud, quiet = io.StringIO(), io.StringIO()
        configure("debug", "json", stream=loud)
        logging.getLogger(name).info("HTTP Request: POST")
        logging.getLogger(name).warning("trouble")
        configure("error", "json", stream=quiet)
        logging.getLogger(name).warning("trouble")
        assert [json.loads(line)["event"] for line in loud.getvalue().splitlines()] == ["trouble"]
        assert quiet.getvalue() == ""

    def test_what_the_end_cut_off(self) -> None:
        """Work that the end of the service cut off is no fault, though APScheduler says so; what broke is."""
        stream = io.StringIO()
        configure("info", "json", stream=stream)
        log = logging.getLogger("apscheduler.executors.default")
        log.error("Error running job", exc_info=asyncio.CancelledError())
        assert stream.getvalue() == ""
        log.error("Error running job", exc_info=OSError("full"))
        assert "full" in stream.getvalue()

    def test_again(self) -> None:
        """Configured again, the log has one handler, and it is the new one."""
        first, second = io.StringIO(), io.StringIO()
        configure("info", "json", stream=first)
        conceal(("hidden-word",))
        configure("info", "json", stream=second)
        logging.getLogger("a").info("hidden-word")
        assert first.getvalue() == ""
        assert json.loads(second.getvalue())["event"] == MASK


class TestRedact:
    """The pure function behind it."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("nothing here", "nothing here"),
            (
                f"POST https://api.telegram.org/bot{TOKEN}/sendMessage",
                "POST https://api.telegram.org/bot***/sendMessage",
            ),
            ("Authorization: Bearer abc.DEF-123==", "Authorization: Bearer ***"),
            ("{'authorization': 'bearer abc'}", "{'authorization': 'bearer ***'}"),
            ("postgresql://me:word@db.example/q", "postgresql://me:***@db.example/q"),
            ("redis://:word@cache.example", "redis://:***@cache.example"),
            ("https://social.example:8443/@me", "https://social.example:8443/@me"),
            ("at 12:30:45 post 7/30", "at 12:30:45 post 7/30"),
            ("12345:short", "12345:short"),
            ("GET /bot12345:short/getMe", "GET /bot***/getMe"),
        ],
    )
    def test_shapes(self, text: str, expected: str) -> None:
        """What looks like a bot's token, a bearer's or a URL's password is hidden, and nothing else."""
        assert redact(text) == expected

    def test_longest_first(self) -> None:
        """A secret that begins with another one is hidden whole."""
        conceal(("abc", "abcdef", ""))
        assert redact("abc abcdef") == f"{MASK} {MASK}"

    def test_a_secret_of_two_letters(self) -> None:
        """A secret that is too short to be told from other text masks nothing."""
        conceal(("ab", "c"))
        assert redact("about a cab") == "about a cab"

    def test_number(self) -> None:
        """A number that is a secret is hidden too."""
        stream = io.StringIO()
        conceal(("1234567",))
        configure("info", "json", stream=stream)
        structlog.get_logger("a").info("hello", pin=1234567, other=42)
        line = json.loads(stream.getvalue())
        assert (line["pin"], line["other"]) == (MASK, 42)

    @example(secret='sä"id', before="", write=unescaped_json)
    @example(secret="né/it her", before="", write=quote)
    @settings(deadline=None, max_examples=200)
    @given(
        secret=st.text(min_size=6).filter(lambda text: "*" not in text),
        before=st.text("ab\"' :/", max_size=5),
        write=st.sampled_from(
            [str, repr, ascii, json.dumps, lambda text: repr([text, '"']), lambda t: repr(t + "'")]
        ),
    )
    @example(secret="it's\\näh", before="", write=repr)
    def test_law(self, secret: str, before: str, write: Any) -> None:
        """However a secret is written into a text, it does not come out; a second pass changes nothing."""
        forget_secrets()
        conceal((secret,))
        text = redact(before + write(secret) + before)
        assert secret not in text
        assert MASK in text
        assert redact(text) == text
