"""What an owner is told when settings are wrong, and what never is."""

import os
import string
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.config.settings import SettingsError, load, variables

BOT = "123456:shared-bot"


def problems(environ: Mapping[str, str], folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, folder=folder)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    return lines


@pytest.mark.parametrize("written", ["queue", "./queue/", "link", "sub/../queue"])
def test_the_data_folder_takes_no_files(tmp_path: Path, written: str) -> None:
    """The data folder cannot be the intake folder as well, however it is written."""
    (tmp_path / "link").symlink_to("queue")
    assert problems({"THREADCAST_DATA": "queue", "THREADCAST_INTAKE": written}, tmp_path) == [
        "THREADCAST_INTAKE: expected a folder's path, not that of the data folder, for example /srv/threads"
    ]


def test_all_at_once(tmp_path: Path) -> None:
    """Every problem is told at once: the variable as written, what was expected, an example."""
    lines = problems(
        {
            "THREADCAST_TIMEZONE": "Mars/Base",
            "Threadcast_Log_Level": "loud",
            "THREADCAST_TELEGRAM__ADMINS": "1111,me",
            "THREADCAST_TELEGRAM__API_URL": "http://bots.example",
            "THREADCAST_TELEGRAM__RATE": "fast",
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "my channel",
            "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
            "THREADCAST_CHANNELS__MASTO__HOLD": "perhaps",
            "THREADCAST_CHANNELS__OTHER__HOLD": "yes",
            "THREADCAST_TIMEZON": "UTC",
            "DATABASE_URL": "mysql://db.example/queue",
        },
        tmp_path,
    )
    assert sorted(lines) == [
        (
            "DATABASE_URL: expected postgresql://…, postgres://… or sqlite:///path/of/a/file, "
            "for example postgresql://user:password@127.0.0.1/threadcast"
        ),
        "THREADCAST_CHANNELS__MASTO__HOLD: expected true or false, for example true",
        (
            "THREADCAST_CHANNELS__MASTO__TOKEN: missing; expected an access token from the account's "
            "settings, under Development, for example your-access-token"
        ),
        (
            "THREADCAST_CHANNELS__MASTO__URL: missing; expected https:// and a host, without a path "
            "(http:// for this machine only), for example https://mastodon.example"
        ),
        (
            "THREADCAST_CHANNELS__NEWS__CHAT: expected @name, its t.me address, or its numeric id, "
            "for example @my_channel"
        ),
        (
            "THREADCAST_CHANNELS__NEWS__TOKEN: missing; expected a bot's token as @BotFather gives it, "
            "here or in THREADCAST_TELEGRAM__TOKEN, for example 123456789:your-bot-token"
        ),
        (
            "THREADCAST_CHANNELS__OTHER__KIND: missing; expected telegram, mastodon or local, "
            "for example telegram"
        ),
        (
            "THREADCAST_TELEGRAM__ADMINS: expected numeric Telegram user ids, with commas between, "
            "for example 1111,2222"
        ),
        (
            "THREADCAST_TELEGRAM__API_URL: expected an https:// address (http:// for this machine only), "
            "for example http://127.0.0.1:8081"
        ),
        "THREADCAST_TELEGRAM__RATE: expected a number from 0.01 to 1000, for example 0.5",
        "THREADCAST_TIMEZON: no such setting; did you mean THREADCAST_TIMEZONE?",
        "THREADCAST_TIMEZONE: expected a time zone's name, for example Europe/Berlin",
        "Threadcast_Log_Level: expected debug, info, warning or error, for example debug",
    ]


@pytest.mark.parametrize(
    "written", ["0", "0.009", "1000.001", "1001", "-1", "1e2", "nan", "inf", "1/s", "1,5"]
)
def test_no_rate(tmp_path: Path, written: str) -> None:
    """A rate that no chat can be sent at is refused, in the same words."""
    (line,) = problems({"THREADCAST_TELEGRAM__RATE": written}, tmp_path)
    assert line == "THREADCAST_TELEGRAM__RATE: expected a number from 0.01 to 1000, for example 0.5"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("THREADCAST_TELEGRAM__TOKN", "did you mean THREADCAST_TELEGRAM__TOKEN?"),
        ("THREADCAST_TELEGRAM_TOKEN", "did you mean THREADCAST_TELEGRAM__TOKEN?"),
        ("threadcast_loglevel", "did you mean THREADCAST_LOG_LEVEL?"),
        ("THREADCAST_CHANEL__NEWS__CHAT", "did you mean THREADCAST_CHANNELS__NEWS__CHAT?"),
        ("THREADCAST_CHANNELS__N__VISIBILTY", "did you mean THREADCAST_CHANNELS__N__VISIBILITY?"),
        ("THREADCAST_CHANNELS__N__COLOUR", "no such setting"),
        ("THREADCAST_XYZZY", "no such setting"),
        ("THREADCAST_", "no such setting"),
        ("THREADCAST_CHANNELS", "a channel's variables look like THREADCAST_CHANNELS__NEWS__KIND"),
        ("THREADCAST_CHANNELS__N", "a channel's variables look like THREADCAST_CHANNELS__NEWS__KIND"),
        (
            "THREADCAST_CHANNELS__A__B__KIND",
            "a channel's variables look like THREADCAST_CHANNELS__NEWS__KIND",
        ),
        ("THREADCAST_CHANNELS___A__KIND", "a channel's name begins with a letter or digit"),
        (f"THREADCAST_CHANNELS__{'A' * 33}__KIND", "has 32 letters, digits, _ and - at most"),
        ("THREADCAST_CHANNELS__N__NAME", "no such setting"),
    ],
)
def test_misspelt(tmp_path: Path, name: str, said: str) -> None:
    """A name of ours that is no variable is refused, with the nearest one that is."""
    (line,) = problems({name: "hidden-word"}, tmp_path)
    assert line.startswith(f"{name}: ")
    assert said in line.removeprefix(name)


def test_nothing_like_it(tmp_path: Path) -> None:
    """Where no name is near, none is suggested."""
    (line,) = problems({"THREADCAST_XYZZY": "1"}, tmp_path)
    assert line == "THREADCAST_XYZZY: no such setting"


def test_strange_name(tmp_path: Path) -> None:
    """A name that cannot be one is cut where it stops being one, for a value may be in it."""
    (line,) = problems({"THREADCAST_TELEGRAM__TOKEN:hidden\nword": ""}, tmp_path)
    assert line == ("THREADCAST_TELEGRAM__TOKEN…: no such setting; a name has only letters, digits, _ and -")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("VISIBILITY", "a telegram channel has no such setting"),
        ("LIKE", "a telegram channel has no such setting; did you mean THREADCAST_CHANNELS__NEWS__SILENT?"),
    ],
)
def test_of_another_kind(tmp_path: Path, field: str, said: str) -> None:
    """A setting of another kind of channel is refused."""
    (line,) = problems(
        {
            "THREADCAST_TELEGRAM__TOKEN": BOT,
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "@news_channel",
            f"THREADCAST_CHANNELS__NEWS__{field}": "public",
        },
        tmp_path,
    )
    assert line.startswith(f"THREADCAST_CHANNELS__NEWS__{field}: a telegram channel has no such setting")


def test_shared_token_told_once(tmp_path: Path) -> None:
    """A shared token that is wrong is told where it stands, not at each channel that would use it."""
    (line,) = problems(
        {
            "THREADCAST_TELEGRAM__TOKEN": "not a token",
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "@news_channel",
        },
        tmp_path,
    )
    assert line.startswith("THREADCAST_TELEGRAM__TOKEN: expected a bot's token")


def test_twice_by_case(tmp_path: Path) -> None:
    """A variable given in two spellings is refused, and both are named."""
    (line,) = problems(
        {"THREADCAST_CHANNELS__NEWS__KIND": "local", "THREADCAST_CHANNELS__news__KIND": "local"}, tmp_path
    )
    assert line == (
        "THREADCAST_CHANNELS__news__KIND: given twice, as THREADCAST_CHANNELS__NEWS__KIND as well; "
        "one of the two has to go"
    )


def test_same_chat(tmp_path: Path) -> None:
    """Two channels that lead to the same chat are refused, and both are named."""
    (line,) = problems(
        {
            "THREADCAST_TELEGRAM__TOKEN": BOT,
            "THREADCAST_CHANNELS__A__KIND": "telegram",
            "THREADCAST_CHANNELS__A__CHAT": "@News_Channel",
            "THREADCAST_CHANNELS__B__KIND": "telegram",
            "THREADCAST_CHANNELS__B__CHAT": "t.me/news_channel",
            "THREADCAST_CHANNELS__C__KIND": "telegram",
            "THREADCAST_CHANNELS__C__CHAT": "-1001234567890",
        },
        tmp_path,
    )
    assert line == (
        "THREADCAST_CHANNELS__B__CHAT: the same place as THREADCAST_CHANNELS__A__CHAT; "
        "one channel each is enough"
    )


def test_same_account(tmp_path: Path) -> None:
    """Two channels with the same server and token are the same account; another token is another one."""
    environ = {
        f"THREADCAST_CHANNELS__{name}__{field}": value
        for name, token in (("A", "one"), ("B", "one"), ("C", "two"))
        for field, value in (("KIND", "mastodon"), ("URL", "https://social.example"), ("TOKEN", token))
    }
    (line,) = problems(environ, tmp_path)
    assert line.startswith("THREADCAST_CHANNELS__B__TOKEN: the same place as THREADCAST_CHANNELS__A__TOKEN")


def test_two_timelines(tmp_path: Path) -> None:
    """Two local channels are two timelines."""
    environ = {f"THREADCAST_CHANNELS__{name}__KIND": "local" for name in "AB"}
    assert [channel.name for channel in load(environ, folder=tmp_path).channels] == ["a", "b"]


class TestFiles:
    """Faults of `.env` and of files of secrets."""

    def test_lines(self, tmp_path: Path) -> None:
        """A line that is no setting is told by its number, never by what is in it."""
        (tmp_path / ".env").write_text(
            "# first\n\nTHREADCAST_TELEGRAM__TOKEN=123456:\nhidden\n\nX='hidden\nTHREADCAST_DATA: hidden"
        )
        assert problems({}, tmp_path) == [
            ".env: line 4 cannot be read; expected NAME=value",
            ".env: line 6 cannot be read; expected NAME=value",
            ".env: line 7 cannot be read; expected NAME=value",
            (
                "THREADCAST_TELEGRAM__TOKEN: (in .env) expected a bot's token as @BotFather gives it, "
                "for example 123456789:your-bot-token"
            ),
        ]

    def test_twice(self, tmp_path: Path) -> None:
        """A variable that stands twice in `.env` is refused."""
        (tmp_path / ".env").write_text("THREADCAST_DATA=one\nTHREADCAST_DATA=two\n")
        assert problems({}, tmp_path) == [
            "THREADCAST_DATA: (in .env) given twice; one of the two has to go",
        ]

    def test_not_text(self, tmp_path: Path) -> None:
        """A file that is not UTF-8 text is told with the byte where it stops being that."""
        (tmp_path / ".env").write_bytes(b"A=1\n\xff\xfehidden")
        (tmp_path / "telegram__token").write_bytes(b"\x80hidden")
        assert problems({"THREADCAST_SECRETS_DIR": "."}, tmp_path) == [
            ".env: is not UTF-8 text (byte 4)",
            "telegram__token: (in the folder of THREADCAST_SECRETS_DIR) is not UTF-8 text (byte 0)",
        ]

    def test_too_long(self, tmp_path: Path) -> None:
        """A file of a size that no setting has is not read to its end."""
        (tmp_path / "telegram__token").write_bytes(b"1" * 1_000_001)
        assert problems({"THREADCAST_SECRETS_DIR": "."}, tmp_path) == [
            "telegram__token: (in the folder of THREADCAST_SECRETS_DIR) is longer than 1000000 bytes",
        ]

    def test_unreadable(self, tmp_path: Path) -> None:
        """A file that cannot be read is told with the system's reason."""
        (tmp_path / ".env").symlink_to(tmp_path / ".env")
        assert problems({}, tmp_path) == [".env: cannot be read (Too many levels of symbolic links)"]

    def test_no_secrets_folder(self, tmp_path: Path) -> None:
        """A folder of secrets that is not there is refused."""
        assert problems({"THREADCAST_SECRETS_DIR": "hidden-word"}, tmp_path) == [
            "THREADCAST_SECRETS_DIR: expected a folder that can be read (No such file or directory)",
        ]

    def test_misspelt_secret(self, tmp_path: Path) -> None:
        """A file of secrets with a misspelt name is refused like any other variable."""
        (tmp_path / "telegram__tokn").write_text(BOT)
        assert problems({"THREADCAST_SECRETS_DIR": "."}, tmp_path) == [
            (
                "THREADCAST_TELEGRAM__TOKN: (in the folder of THREADCAST_SECRETS_DIR) no such setting; "
                "did you mean THREADCAST_TELEGRAM__TOKEN?"
            ),
        ]


@pytest.mark.parametrize("value", ["a\0b", os.fsdecode(b"\xff"), "\ud800"])
def test_not_text(tmp_path: Path, value: str) -> None:
    """A value that is not text is refused before anything is made of it."""
    assert problems({"THREADCAST_SECRETS_DIR": value}, tmp_path) == [
        "THREADCAST_SECRETS_DIR: expected UTF-8 text",
    ]


SECRET = "Zq9xJw7vKp"  # not part of any message, nor of any name
NAMES = [variable.name.replace("<NAME>", name) for variable in variables() for name in ("NEWS", "masto")]
LETTERS = st.text(string.ascii_letters + string.digits + "_-.", max_size=12)
ANY_NAME = st.one_of(
    st.sampled_from(NAMES),
    st.builds("THREADCAST_{}".format, LETTERS),
    st.builds("THREADCAST_CHANNELS__{}__{}".format, LETTERS, LETTERS),
    st.just("DATABASE_URL"),
)
# What our own readers and those below them take apart: addresses, lists, paths, JSON.
PIECES = ["", " ", "telegram", "mastodon", "https://", "postgres://", "sqlite:///", "@", ":", "/", "[", "]"]
PIECES += [
    "%",
    "?",
    "#",
    "{",
    '"',
    "\0",
    "\n",
    "1",
    ",",
    "~",
    "..",
    "é",
    "true",
    "\udcff",
    "\ud800",
    "١",
    "::1",
]
VALUE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=5).map("".join)
KINDS = st.fixed_dictionaries(
    {},
    optional={
        "THREADCAST_CHANNELS__NEWS__KIND": st.sampled_from(["telegram", "mastodon", "local"]),
        "THREADCAST_CHANNELS__MASTO__KIND": st.sampled_from(["telegram", "mastodon", "local"]),
    },
)


def check_silence(environ: dict[str, str], folder: Path) -> None:
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
        check_silence({**environ, **kinds}, Path(place) / folder)


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
        check_silence({}, Path(place))
