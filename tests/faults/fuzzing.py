"""What is thrown at Threadcast from outside, and what must come of it: never a crash, a hang or a secret.

`test_fuzz.py` throws a little of each, `python -m tests.faults.fuzz` (`make fuzz`) 100,000 and more.
"""

import asyncio
import base64
import json
import tempfile
import time
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from hypothesis import strategies as st
from mastodon.errors import MastodonAPIError, MastodonNetworkError, MastodonRatelimitError
from pydantic import SecretStr

from tests.bot.shell.typed import Shell
from tests.faults.fuzzing_chat import UPDATES, chat
from tests.queue.store.fresh import fresh_notes
from tests.servers.http import Answer, Cut, LoopbackServer, Request, Response
from threadcast.bot.channels.learned import Learned
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.mastodon.errors import classify
from threadcast.bot.channels.mastodon.headers import reset_at
from threadcast.bot.channels.mastodon.instance import instance_of
from threadcast.bot.channels.port import Channel, Expected, NotReadyError, Outgoing, Sought
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import understand
from threadcast.bot.shell.cli import COMMANDS as NAMES
from threadcast.bot.shell.cli import cli
from threadcast.bot.shell.exits import Exit
from threadcast.config.channels import MastodonChannelSettings, TelegramChannelSettings
from threadcast.config.logs import conceal
from threadcast.config.settings import SettingsError, in_force, load, variables
from threadcast.queue.compose import length as measure
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.rules import CannotComposeError, Numbering, Rules
from threadcast.queue.store.notes import Notes
from threadcast.queue.text.parse import render

LONGEST = 10.0  # seconds a case may take on a busy machine before it counts as a hang
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

BOT_TOKEN = "7654321098:AAfuzz-Hk29_vQpWx8sTnLrB4eYcZ0dJmGu"
BEARER = "fuzz-XyZ42abcDEFghiJKLmnoPQRstuVWX-0987"
PASSWORD = "p4ss-fuzz/w0rd+very&odd"


def pieces(secret: str) -> set[str]:
    """A secret, its telling part, and both as they read in a URL and in base64."""
    parts = {secret, secret.rpartition(":")[2]}
    encoded = {quote(part, safe="") for part in parts}
    based = {base64.b64encode(part.encode()).decode().rstrip("=") for part in parts}
    return parts | encoded | based


WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

SECRETS = frozenset().union(*map(pieces, (BOT_TOKEN, BEARER, PASSWORD)))


def require_no_secret(*said: object, secrets: Collection[str] = SECRETS) -> None:
    for text in map(str, said):
        found = [secret for secret in secrets if secret in text]
        assert not found, f"a secret is told: {text}"


Judge = Callable[[Any], None]


@contextmanager
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < LONGEST, f"took {took:.1f} s"


# Files -----------------------------------------------------------------------------------------------

_MARKERS = st.sampled_from(WORDS["markers"])
_LINES = st.lists(
    st.one_of(
        _MARKERS, st.text(max_size=30), st.sampled_from(["\n", "\r\n", " ", "\t", "https://a.example/x"])
    )
)
_TEXTS = _LINES.map(" ".join)
FILES = st.one_of(
    st.binary(max_size=400),
    _TEXTS.map(partial(str.encode, errors="replace")),
    _TEXTS.map(lambda text: text.encode("utf-16", errors="replace")),
    st.tuples(_TEXTS.map(partial(str.encode, errors="replace")), st.binary(max_size=5)).map(b"".join),
)
RULES = (
    Rules(4096, measure.telegram, Numbering.KEEP),
    Rules(60, partial(measure.mastodon, url_length=23, spoiler=""), Numbering.TOTAL),
)


def judge_file(data: bytes) -> None:
    """Threads, or one sentence; what became threads is composed and written out again."""
    try:
        intake = understand("thread.txt", data)
    except InputError as error:
        assert str(error).startswith("thread.txt")  # noqa: PT017  # either is right
        return
    for thread in intake.threads:
        render(thread)
        for rules in RULES:
            try:
                posts = compose(thread, rules)
            except CannotComposeError:
                continue
            assert all(rules.measure(post.text) <= rules.limit for post in posts)


# The environment -------------------------------------------------------------------------------------

_KNOWN = [variable.name for variable in variables()]
_NAMES = st.one_of(
    st.sampled_from(_KNOWN),
    st.sampled_from(_KNOWN).map(lambda name: name.replace("NAME", "NEWS").replace("<name>", "NEWS")),
    st.sampled_from(
        ["KIND", "TOKEN", "CHAT", "URL", "SCHEDULE", "QUIET", "NUMBERING", "HOLD", "LIKE", "EVERY"]
    ).map(lambda field: f"THREADCAST_CHANNELS__NEWS__{field}"),
    st.text(max_size=12).map(lambda text: f"THREADCAST_{text}"),
    st.just("DATABASE_URL"),
)
_PLAIN = st.one_of(
    st.text(max_size=40),
    st.sampled_from(WORDS["settings"]),
)
_SECRET = st.sampled_from(
    [
        BOT_TOKEN,
        BEARER,
        f"postgresql://ada:{quote(PASSWORD, safe='')}@127.0.0.1:9/news",
        f"postgres://ada:{PASSWORD}@h/d",
        f"mysql://u:{PASSWORD}@h/d",
        f"{BOT_TOKEN} ",
        f"Bearer {BEARER}",
    ]
)
# Where a secret belongs; elsewhere an owner's value is no secret of ours, and is shown where it is in force.
_VAULTS = ("TOKEN", "DATABASE_URL")


def _filled(names: list[str], plain: list[str], secrets: list[str]) -> dict[str, str]:
    return {
        name.replace("\0", ""): (secret if name.endswith(_VAULTS) else text).replace("\0", "")
        for name, text, secret in zip(names, plain, secrets, strict=True)
    }


ENVIRONMENTS = st.integers(1, 8).flatmap(
    lambda size: st.builds(
        _filled,
        st.lists(_NAMES, min_size=size, max_size=size),
        st.lists(_PLAIN, min_size=size, max_size=size),
        st.lists(st.one_of(_SECRET, _PLAIN), min_size=size, max_size=size),
    )
)


def judge_environment(folder: Path, environ: dict[str, str]) -> None:
    """Settings, or one error with a line for each problem."""
    try:
        found = load(environ, folder=folder)
        shown = in_force(environ, folder=folder)
    except SettingsError as error:
        assert error.problems  # noqa: PT017  # either is right
        require_no_secret(error, repr(error))
        return
    require_no_secret(repr(found), repr(found.channels), repr(shown))


# Answers ---------------------------------------------------------------------------------------------

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [BOT_TOKEN, BEARER, f"bad token {BOT_TOKEN}", f"Bearer {BEARER}", "1", "channel", "0.1", "4.6.0"]
    ),
)
_KEYS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(WORDS["keys"]),
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=6)),
    max_leaves=12,
)
STATUS: dict[str, Any] = {
    "id": "101",
    "uri": "https://a.example/1",
    "url": "https://a.example/@me/101",
    "content": "<p>x</p>",
    "text": "x",
    "created_at": "2026-06-01T12:00:00.000Z",
    "in_reply_to_id": None,
    "in_reply_to_account_id": None,
    "visibility": "public",
    "account": {"id": "1", "acct": "me", "username": "me", "url": "https://a.example/@me"},
    "media_attachments": [],
    "spoiler_text": "",
    "language": "en",
    "tags": [],
    "mentions": [],
    "emojis": [],
}
SERVER = {"version": "4.6.0", "configuration": {"statuses": {"max_characters": 500}}, "domain": "a.example"}
USER = {"id": 7654321098, "is_bot": True, "first_name": "fuzz", "username": "fuzz_bot"}
CHAT = {
    "id": -1001,
    "type": "channel",
    "title": "News",
    "username": "news",
    "accent_color_id": 0,
    "max_reaction_count": 1,
    "accepted_gift_types": {},
}
MESSAGE = {"message_id": 7, "date": 1780315200, "chat": CHAT, "text": "x"}
MEMBER = {"status": "administrator", "user": USER, "can_post_messages": True}


def _mutated(good: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Something right with a few things in it wrong."""
    keys = st.one_of(st.sampled_from(sorted(good)), _KEYS)
    return st.dictionaries(keys, JSON, max_size=2).map(lambda odd: {**good, **odd})


def _told(result: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return result.map(lambda value: {"ok": True, "result": value})


MASTODON = st.one_of(
    JSON,
    _mutated(STATUS),
    _mutated(SERVER),
    st.lists(_mutated(STATUS), max_size=3),
    st.builds(lambda odd: {"ancestors": [], "descendants": [odd]}, _mutated(STATUS)),
    st.builds(lambda words: {"error": words}, _LEAVES),
)
TELEGRAM = st.one_of(
    JSON,
    _told(
        st.one_of(JSON, _mutated(USER), _mutated(MESSAGE), _mutated(MEMBER), _mutated(CHAT), st.booleans())
    ),
    st.builds(lambda code, words: {"ok": False, "error_code": code, "description": words}, _LEAVES, _LEAVES),
    st.builds(
        lambda odd: {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": odd},
        JSON,
    ),
)
_HEADER = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    st.sampled_from(
        [
            "0",
            "-1",
            "99999999999999999999",
            "2026-06-01T12:05:00Z",
            "Mon, 01 Jun 2026 12:00:00 GMT",
            f"https://{BEARER}@b.example/{BOT_TOKEN}",
            "https://[",
            "application/json",
            "text/html",
        ]
    ),
)
_HEADERS = st.dictionaries(
    st.sampled_from(WORDS["header_names"]),
    _HEADER,
    max_size=4,
)
_CODES = st.one_of(
    st.just(200),
    st.sampled_from(WORDS["codes"]),
)
_NESTED = ("[" * 3000).encode()


def _answers(content: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Answer]]:
    bodies = st.one_of(
        content.map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=60),
        st.sampled_from([b"", b"<html>", _NESTED, BEARER.encode(), f'{{"error": "{BOT_TOKEN}"'.encode()]),
    )
    whole = st.builds(Response, _CODES, bodies, _HEADERS)
    right = content.map(
        lambda value: Response(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
    )
    return st.lists(st.one_of(right, whole, whole.map(Cut), st.just(Cut())), min_size=1, max_size=4)


class Babbler(LoopbackServer):
    """A server that says whatever it was given to say, in turn, over and over."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = count()
        self._answers: list[Answer] = [Cut()]

    def say(self, answers: list[Answer]) -> None:
        with self.changed:
            self.requests.clear()
            self._answers, self._turn = answers, count()

    def handle(self, request: Request) -> Answer:
        return self._answers[next(self._turn) % len(self._answers)]


async def everything(channel: Channel, token: str) -> None:
    """Ask a channel for all it can do; whatever is answered, it gives a value of its own or is not ready."""
    said: list[object] = [repr(channel)]
    try:
        said.append(await channel.rules())
    except NotReadyError as error:
        said += [error, repr(error.outcome)]
    for parent in (None, "7"):
        said.append(await channel.send(Outgoing(text="x", parent=parent, key="k")))
    sought = Sought(text="x", parent="7", key="k", since=NOON, landmark=None)
    said.append(await channel.look_up(sought))
    said.append(await channel.take_down("7"))
    said.append(await channel.audit([Expected(1, "7", "x", None), Expected(2, "8", "y", "7")]))
    said.append(await channel.preflight())
    said.append(await channel.check())
    require_no_secret(*said, secrets=pieces(token))  # the one that this server has seen


def mastodon_on(url: str, notes: Notes | None = None) -> Channel:
    conceal((BEARER,))
    settings = MastodonChannelSettings(name="masto", url=url, token=SecretStr(BEARER))
    learned = None if notes is None else Learned(notes, url, lambda: NOON)
    return MastodonChannel(settings, clock=lambda: NOON, timeout=5, learned=learned)


def telegram_on(url: str) -> Channel:
    conceal((BOT_TOKEN, BOT_TOKEN.partition(":")[2]))
    bot = make_bot(BOT_TOKEN, api_url=url, timeout=5)
    settings = TelegramChannelSettings(name="news", chat="-1001", token=SecretStr(BOT_TOKEN))
    return TelegramChannel(settings, bot=bot, clock=lambda: NOON)


# Errors that a library could make of an answer, judged without a network -------------------------------

_WORDS = st.one_of(st.none(), st.text(max_size=20), st.integers(), st.just("Hit rate limit."))
ERRORS = st.tuples(
    st.one_of(
        MASTODON,
        st.builds(MastodonAPIError, _WORDS, st.integers(100, 999), _WORDS, _WORDS),
        st.builds(MastodonAPIError, _WORDS),
        st.builds(MastodonRatelimitError, _WORDS),
        st.builds(MastodonNetworkError, _WORDS),
        st.builds(ValueError, _WORDS),
    ),
    st.one_of(st.none(), st.just("7"), st.text(max_size=5)),
    _HEADERS,
)


def judge_error(case: tuple[object, str | None, dict[str, str]]) -> None:
    """An outcome, and a moment in which a limit ends that lies ahead and within a day."""
    answer, parent, headers = case
    reset = reset_at(headers, now=NOON)
    assert reset is None or NOON < reset <= NOON + timedelta(days=1)
    outcome = classify(answer, parent=parent, now=NOON, reset=reset)
    assert type(outcome).__name__ in {"Sent", "Throttled", "Unreached", "Refused", "Unknown"}
    instance = instance_of(answer, "mastodon")
    assert instance is None or (instance.limit > 0 and instance.url_length > 0)


# The shell -------------------------------------------------------------------------------------------

_STAYS = {"run", "demo"}  # until they are told to stop; publishes for real
_OPTIONS = sorted(
    {
        option
        for command in (cli.get_command(click.Context(cli), name) for name in NAMES)
        if command is not None
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    - {"--follow"}
)
_TYPED = st.one_of(
    st.sampled_from(WORDS["typed"]),
    st.sampled_from(_OPTIONS),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=12),
)
COMMANDS = st.tuples(
    st.one_of(st.sampled_from(sorted(set(NAMES) - _STAYS)), _TYPED.filter(lambda word: word not in _STAYS)),
    st.lists(_TYPED, max_size=5),
    st.one_of(_TEXTS.map(partial(str.encode, errors="replace")), st.binary(max_size=50)),
)


def judge_command(shell: Shell, case: tuple[str, list[str], bytes]) -> None:
    """A documented exit code that is no fault of ours, and nothing secret in what is said."""
    command, words, stdin = case
    result = shell(command, *words, stdin=stdin)
    require_no_secret(result.output)
    assert result.exit_code in set(Exit) - {Exit.FAULT}, (result.exit_code, result.output)


# The groups, each with a judge that is opened once for all its cases -------------------------------------


@contextmanager
def files() -> Iterator[Judge]:
    yield judge_file


@contextmanager
def environments() -> Iterator[Judge]:
    with tempfile.TemporaryDirectory() as folder:
        yield partial(judge_environment, Path(folder))


@contextmanager
def errors() -> Iterator[Judge]:
    yield judge_error


@contextmanager
def answers(make: Callable[[str], Channel], token: str) -> Iterator[Judge]:
    with Babbler() as server, asyncio.Runner() as runner:

        def judge(case: list[Answer]) -> None:
            server.say(case)
            runner.run(one())

        async def one() -> None:
            channel = make(server.url)
            try:
                await everything(channel, token)
            finally:
                await channel.close()

        yield judge


def learning() -> AbstractContextManager[Judge]:
    return answers(partial(mastodon_on, notes=fresh_notes()), BEARER)


@contextmanager
def commands() -> Iterator[Judge]:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        shell = Shell(Path(folder))
        Path("thread.txt").write_text("1/ a\n2/ b /end\n", encoding="utf-8")
        shell.env = {
            "THREADCAST_TELEGRAM__TOKEN": BOT_TOKEN,
            "THREADCAST_TELEGRAM__API_URL": "http://127.0.0.1:9",
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "@my_channel",
            "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
            "THREADCAST_CHANNELS__MASTO__URL": "http://127.0.0.1:9",
            "THREADCAST_CHANNELS__MASTO__TOKEN": BEARER,
            "THREADCAST_LOG_LEVEL": "debug",
            "EDITOR": "true",
            "VISUAL": "true",
        }
        yield partial(judge_command, shell)


Opened = Callable[[], Any]

GROUPS: dict[str, tuple[st.SearchStrategy[Any], Opened, int]] = {
    "files": (FILES, files, 60_000),
    "environment": (ENVIRONMENTS, environments, 8_000),
    "errors and headers": (ERRORS, errors, 32_000),
    "Mastodon's answers": (_answers(MASTODON), learning, 2_000),
    "Telegram's answers": (_answers(TELEGRAM), partial(answers, telegram_on, BOT_TOKEN), 1_000),
    "commands": (COMMANDS, commands, 2_000),
    "the chat": (UPDATES, chat, 2_000),
}
