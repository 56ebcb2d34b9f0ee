"""What is kept of what an owner writes, what is said where it does not fit, and what never is."""

import os
import string
import tempfile
import tomllib
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from threadcast.config.settings import Settings, SettingsError, load, variables
from threadcast.config.types import passwords_of, web_address

TABLE = tomllib.loads(Path(__file__).with_name("settings_cases.toml").read_text(encoding="utf-8"))
BOT = "123456:shared-bot"
CHANNELS = {
    "THREADCAST_TELEGRAM__TOKEN": BOT,
    "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
    "THREADCAST_CHANNELS__NEWS__CHAT": "@news_channel",
    "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
    "THREADCAST_CHANNELS__MASTO__URL": "https://social.example",
    "THREADCAST_CHANNELS__MASTO__TOKEN": "masto-token",
}


def problems(environ: Mapping[str, str], folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, folder=folder)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    return lines


def value_of(settings: Settings, variable: str) -> str:
    place: object = settings
    for step in variable.lower().split("__"):
        match place:
            case tuple():
                place = next(channel for channel in place if channel.name == step)
            case _:
                place = getattr(place, step)
    return place.get_secret_value() if isinstance(place, SecretStr) else str(place)


@pytest.mark.parametrize(("variable", "written", "kept"), TABLE["kept"])
def test_what_is_kept(tmp_path: Path, variable: str, written: str, kept: str) -> None:
    """A value is kept in one form, which gives itself again."""
    for value in (written, kept) if "(" not in kept else (written,):
        assert (
            value_of(load({**CHANNELS, f"THREADCAST_{variable}": value}, folder=tmp_path), variable) == kept
        )


@pytest.mark.parametrize(("variable", "written", "says"), TABLE["wrong"])
def test_what_does_not_fit(tmp_path: Path, variable: str, written: str, says: str) -> None:
    """What does not fit is refused with what was expected, and the nearest right name or value."""
    (line,) = problems({**CHANNELS, f"THREADCAST_{variable}": written or "x"}, tmp_path)
    name, _, said = line.partition(": ")
    assert f"THREADCAST_{variable}".startswith(name.rstrip("…"))
    assert says in said
    assert variable != "DATABASE_URL" or "34" not in said


@pytest.mark.parametrize("written", TABLE["no_address"])
def test_no_address(tmp_path: Path, written: str) -> None:
    """What is no plain address of a host is refused; plain http is for this machine only."""
    for variable in ("CHANNELS__MASTO__URL", "TELEGRAM__API_URL"):
        (line,) = problems({**CHANNELS, f"THREADCAST_{variable}": written}, tmp_path)
        assert line.startswith(f"THREADCAST_{variable}: expected ")
        assert "(http:// for this machine only), for example http" in line


@pytest.mark.parametrize(("file", "text", "says"), TABLE["files"])
def test_files(tmp_path: Path, file: str, text: str, says: str) -> None:
    """What is wrong in `.env` or in a file of secrets is told with its place, never with what is in it."""
    (tmp_path / file).write_text(text, encoding="utf-8")
    environ = {"THREADCAST_SECRETS_DIR": "."}
    if says:
        assert problems(environ, tmp_path) == says.strip().splitlines()
    else:
        load(environ, folder=tmp_path)


@pytest.mark.parametrize(("written", "kept"), TABLE["dotenv"])
def test_dotenv_is_literal(tmp_path: Path, written: str, kept: str) -> None:
    """A value in `.env` is taken as it is, quotes around it and a comment behind it aside."""
    (tmp_path / ".env").write_text(f"\ufeffTHREADCAST_CHANNELS__MASTO__SPOILER={written}\n", encoding="utf-8")
    settings = load({**CHANNELS, "HOME": "/home/me"}, folder=tmp_path)
    assert value_of(settings, "CHANNELS__MASTO__SPOILER") == kept


@pytest.mark.parametrize("written", ["queue", "./queue/", "link", "sub/../queue"])
def test_the_data_folder_takes_no_files(tmp_path: Path, written: str) -> None:
    """The data folder cannot be the intake folder as well, however it is written."""
    (tmp_path / "link").symlink_to("queue")
    assert problems({"THREADCAST_DATA": "queue", "THREADCAST_INTAKE": written}, tmp_path) == [
        "THREADCAST_INTAKE: expected a folder's path, not that of the data folder, for example /srv/threads"
    ]


def test_all_at_once(tmp_path: Path) -> None:
    """Every problem is told at once, with the variable as it was written; what is missing, too."""
    lines = problems(
        {
            "Threadcast_Log_Level": "loud",
            "THREADCST_TIMEZONE": "UTC",
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "my channel",
            "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
            "THREADCAST_CHANNELS__OTHER__HOLD": "yes",
            "DATABASE_URL": "mysql://db.example/queue",
        },
        tmp_path,
    )
    assert [line.partition(";")[0].partition(", ")[0] for line in sorted(lines)] == [
        "DATABASE_URL: expected postgresql://…",
        "THREADCAST_CHANNELS__MASTO__TOKEN: missing",
        "THREADCAST_CHANNELS__MASTO__URL: missing",
        "THREADCAST_CHANNELS__NEWS__CHAT: expected @name",
        "THREADCAST_CHANNELS__NEWS__TOKEN: missing",
        "THREADCAST_CHANNELS__OTHER__KIND: missing",
        "THREADCST_TIMEZONE: no such setting",
        "Threadcast_Log_Level: expected debug",
    ]


def test_strange_name(tmp_path: Path) -> None:
    """A name that cannot be one is cut where it stops being one, for a value may be in it."""
    (line,) = problems({"THREADCAST_TELEGRAM__TOKEN:hidden\nword": ""}, tmp_path)
    assert line == ("THREADCAST_TELEGRAM__TOKEN…: no such setting; a name has only letters, digits, _ and -")


def test_twice_by_case(tmp_path: Path) -> None:
    """A variable given in two spellings is refused, and both are named."""
    names = ("THREADCAST_CHANNELS__NEWS__KIND", "THREADCAST_CHANNELS__news__KIND")
    (line,) = problems(dict.fromkeys(names, "local"), tmp_path)
    assert line == f"{names[1]}: given twice, as {names[0]} as well; one of the two has to go"


def test_one_place_twice(tmp_path: Path) -> None:
    """Two channels that lead to one chat, or to one account, are refused, and both are named."""
    twins = {name.replace("NEWS", "A").replace("MASTO", "B"): value for name, value in CHANNELS.items()}
    twins["THREADCAST_CHANNELS__A__CHAT"] = "t.me/News_Channel"
    prefix = "THREADCAST_CHANNELS__"
    assert problems({**CHANNELS, **twins}, tmp_path) == [
        f"{prefix}{second}: the same place as {prefix}{first}; one channel each is enough"
        for second, first in (("MASTO__TOKEN", "B__TOKEN"), ("NEWS__CHAT", "A__CHAT"))
    ]
    twins["THREADCAST_CHANNELS__A__CHAT"] = "-1001234567890"
    twins["THREADCAST_CHANNELS__B__TOKEN"] = "another"
    two_timelines = {f"THREADCAST_CHANNELS__{name}__KIND": "local" for name in ("L1", "L2")}
    assert len(load({**CHANNELS, **twins, **two_timelines}, folder=tmp_path).channels) == 6


@pytest.mark.parametrize(
    ("file", "data", "says"),
    [
        (".env", b"A=1\n\xff\xfehidden", "is not UTF-8 text (byte 4)"),
        ("telegram__token", b"\x80hidden", "is not UTF-8 text (byte 0)"),
        ("telegram__token", b"1" * 1_000_001, "is longer than 1000000 bytes"),
    ],
)
def test_no_text(tmp_path: Path, file: str, data: bytes, says: str) -> None:
    """A file that is not UTF-8 text, or of a size that no setting has, is refused."""
    (tmp_path / file).write_bytes(data)
    (line,) = problems({"THREADCAST_SECRETS_DIR": "."}, tmp_path)
    assert line.startswith(f"{file}: ")
    assert line.endswith(says)


def test_unreadable(tmp_path: Path) -> None:
    """A file that cannot be read is told with the system's reason."""
    (tmp_path / ".env").symlink_to(tmp_path / ".env")
    assert problems({}, tmp_path) == [".env: cannot be read (Too many levels of symbolic links)"]


@pytest.mark.parametrize("value", ["a\0b", os.fsdecode(b"\xff"), "\ud800"])
def test_value_that_is_no_text(tmp_path: Path, value: str) -> None:
    """A value that is not text is refused before anything is made of it."""
    assert problems({"THREADCAST_SECRETS_DIR": value}, tmp_path) == [
        "THREADCAST_SECRETS_DIR: expected UTF-8 text",
    ]


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("sqlite:////srv/queue.db", ()),
        ("postgres://me@db.example/q", ()),
        ("postgres://me:plain@db.example/q", ("plain", "plain")),
        ("postgres://me:a%40b@db.example/q", ("a%40b", "a@b")),
        ("postgres://db.example/q?password=in-query", ("in-query", "in-query")),
    ],
)
def test_passwords(url: str, passwords: tuple[str, ...]) -> None:
    """A database's password is known as written and decoded, before the host and in the query."""
    assert passwords_of(url) == passwords


def test_a_token_in_the_wrong_place(tmp_path: Path) -> None:
    """A token that stands in another variable as well is not shown there, whatever it is like."""
    names = ("THREADCAST_CHANNELS__MASTO__TOKEN", "THREADCAST_CHANNELS__NEWS__KIND")
    (line,) = problems({**CHANNELS, **dict.fromkeys(names, "telegramm")}, tmp_path)
    assert line.startswith("THREADCAST_CHANNELS__NEWS__KIND: expected telegram, mastodon or local")


@settings(deadline=None, max_examples=300)
@given(st.text("htps:/@[]?#\\.%-1a0é\t\n", max_size=20), st.booleans())
def test_address_law(written: str, path: bool) -> None:
    """Whatever is taken for an address has a host, no user and no query, and is kept as it then stands."""
    try:
        kept = web_address(written, path=path)
    except ValueError:
        return
    assert kept.startswith(("https://", "http://"))
    assert not set(kept) & set("@?#\\ \t\n")
    assert web_address(kept, path=path) == kept


SECRET = "Zq9xJw7vKp"  # not part of any message, nor of any name
NAMES = [variable.name.replace("<NAME>", name) for variable in variables() for name in ("NEWS", "masto")]
LETTERS = st.text(string.ascii_letters + string.digits + "_-.", max_size=12)
ANY_NAME = st.one_of(
    st.sampled_from(NAMES),
    st.builds("THREADCAST_{}".format, LETTERS),
    st.builds("THREADCAST_CHANNELS__{}__{}".format, LETTERS, LETTERS),
    st.sampled_from(["DATABASE_URL", "THREADCST_DATA", "TELEGRAM_TOKEN"]),
)
# What our own readers and those below them take apart: addresses, lists, paths, JSON.
PARTS = "telegram mastodon https:// postgres:// sqlite:/// @ : / [ ] % ? # { \" ' 1 , ~ .. é true ١ ::1"
PIECES = [*PARTS.split(), "", " ", "\0", "\n", "\udcff", "\ud800"]
VALUE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=5).map("".join)
KINDS = st.fixed_dictionaries(
    {},
    optional={
        f"THREADCAST_CHANNELS__{name}__KIND": st.sampled_from(["telegram", "mastodon", "local"])
        for name in ("NEWS", "MASTO")
    },
)


def check_no_value(environ: dict[str, str], folder: Path) -> None:
    fault: SettingsError | None = None
    try:
        load(environ, folder=folder)
    except SettingsError as error:
        fault = error
    if fault is not None:
        assert fault.problems
        assert len(str(fault).splitlines()) == len(fault.problems)
        assert SECRET not in "".join(traceback.format_exception(fault))
        assert SECRET not in repr(fault)


@settings(deadline=None, max_examples=300)
@given(
    environ=st.dictionaries(ANY_NAME, VALUE.map(lambda value: value + SECRET), max_size=6),
    kinds=KINDS,
    folder=st.sampled_from(["here", "what?", "new\nline"]),
)
def test_never_leaks(environ: dict[str, str], kinds: dict[str, str], folder: str) -> None:
    """Whatever is set, nothing but SettingsError is raised, and no value is in it or in its traceback."""
    with tempfile.TemporaryDirectory() as place:
        check_no_value({**environ, **kinds}, Path(place) / folder)


@settings(deadline=None, max_examples=150)
@given(
    lines=st.lists(
        st.tuples(st.one_of(ANY_NAME, LETTERS), st.sampled_from(["=", ": ", " ", "='", ""]), VALUE)
    )
)
def test_dotenv_never_leaks(lines: list[tuple[str, str, str]]) -> None:
    """Whatever is in `.env`, nothing but SettingsError is raised, and no value is in it."""
    text = "".join(f"{name}{sign}{value}{SECRET}\n" for name, sign, value in lines if sign or value)
    with tempfile.TemporaryDirectory() as place:
        Path(place, ".env").write_bytes(text.encode("utf-8", "surrogatepass"))
        check_no_value({}, Path(place))
