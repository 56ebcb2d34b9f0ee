"""What an environment comes to."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from threadcast.config.channels import LocalChannelSettings, MastodonChannelSettings, TelegramChannelSettings
from threadcast.config.settings import Settings, load

BOT = "123456:shared-bot"
OWN_BOT = "654321:own-bot"

NEWS = {
    "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
    "THREADCAST_CHANNELS__NEWS__CHAT": "@news_channel",
}
MASTO = {
    "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
    "THREADCAST_CHANNELS__MASTO__URL": "https://social.example",
    "THREADCAST_CHANNELS__MASTO__TOKEN": "masto-token",
}


def test_nothing_set(tmp_path: Path) -> None:
    """With nothing set there is a SQLite file and one local channel, and nothing is made on disk."""
    settings = load({}, folder=tmp_path)
    assert settings.data == tmp_path / "threadcast-data"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/threadcast-data/queue.sqlite3"
    assert settings.timezone == ZoneInfo("UTC")
    assert settings.intake is None
    assert (settings.log_level, settings.log_format) == ("info", "auto")
    assert settings.telegram.token is None
    assert settings.telegram.rate == 1
    assert settings.channels == (LocalChannelSettings(name="local", like="mastodon"),)
    assert settings.secrets() == ()
    assert list(tmp_path.iterdir()) == []


def test_everything_set(tmp_path: Path) -> None:
    """Every variable arrives in its place, whatever its case and the blanks around it."""
    settings = load(
        {
            "THREADCAST_DATA": "queue files",
            "THREADCAST_DATABASE_URL": "postgresql://me:pass%20word@db.example/queue",
            "THREADCAST_TIMEZONE": " Europe/Berlin ",
            "THREADCAST_LOG_LEVEL": "DEBUG",
            "threadcast_log_format": "json",
            "THREADCAST_TELEGRAM__TOKEN": BOT,
            "THREADCAST_TELEGRAM__API_URL": "http://127.0.0.1:8081/",
            "THREADCAST_TELEGRAM__ADMINS": "1111, 2222 1111",
            "THREADCAST_TELEGRAM__RATE": " 0.50 ",
            "THREADCAST_CHANNELS__News__KIND": "Telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "https://t.me/news_channel",
            "THREADCAST_CHANNELS__NEWS__TOKEN": OWN_BOT,
            "THREADCAST_CHANNELS__NEWS__SILENT": "no",
            "THREADCAST_CHANNELS__NEWS__HOLD": "true",
            **MASTO,
            "THREADCAST_CHANNELS__MASTO__NUMBERING": "Total",
            "THREADCAST_CHANNELS__MASTO__VISIBILITY": "unlisted",
            "THREADCAST_CHANNELS__MASTO__REPLY_VISIBILITY": "private",
            "THREADCAST_CHANNELS__MASTO__LANGUAGE": "pt-br",
            "THREADCAST_CHANNELS__MASTO__SPOILER": "politics",
            "THREADCAST_CHANNELS__A-1__KIND": "local",
            "THREADCAST_CHANNELS__A-1__LIKE": "telegram",
            "SOMETHING_ELSE": "not ours",
        },
        folder=tmp_path,
    )
    assert settings.data == tmp_path / "queue files"
    assert settings.timezone == ZoneInfo("Europe/Berlin")
    assert (settings.log_level, settings.log_format) == ("debug", "json")
    assert settings.telegram.api_url == "http://127.0.0.1:8081"
    assert settings.telegram.admins == (1111, 2222)
    assert settings.telegram.rate == 0.5
    local, mastodon, telegram = settings.channels
    assert local == LocalChannelSettings(name="a-1", like="telegram")
    assert isinstance(mastodon, MastodonChannelSettings)
    assert (mastodon.name, mastodon.url, mastodon.numbering) == ("masto", "https://social.example", "total")
    assert (mastodon.visibility, mastodon.reply_visibility) == ("unlisted", "private")
    assert (mastodon.language, mastodon.spoiler) == ("pt-BR", "politics")
    assert isinstance(telegram, TelegramChannelSettings)
    assert (telegram.chat, telegram.silent, telegram.hold) == ("@news_channel", False, True)
    assert telegram.token.get_secret_value() == OWN_BOT
    assert settings.secrets() == (BOT, "masto-token", OWN_BOT, "pass%20word", "pass word")


def test_shared_bot(tmp_path: Path) -> None:
    """A chat without a bot of its own is posted to by the shared one."""
    settings = load({**NEWS, "THREADCAST_TELEGRAM__TOKEN": BOT}, folder=tmp_path)
    (channel,) = settings.channels
    assert isinstance(channel, TelegramChannelSettings)
    assert channel.token.get_secret_value() == BOT
    assert settings.secrets() == (BOT,)


def test_channel_called_like_a_field(tmp_path: Path) -> None:
    """A channel may be called like a field or a kind of channel."""
    names = ("kind", "token", "telegram", "name")
    settings = load({f"THREADCAST_CHANNELS__{name}__KIND": "local" for name in names}, folder=tmp_path)
    assert [channel.name for channel in settings.channels] == sorted(names)


def test_no_secret_in_repr(tmp_path: Path) -> None:
    """Printed settings show no secret."""
    url = {"DATABASE_URL": "postgres://me:hidden-word@db.example/queue"}
    settings = load({**NEWS, **MASTO, **url, "THREADCAST_TELEGRAM__TOKEN": BOT}, folder=tmp_path)
    assert len(settings.secrets()) == 3
    for text in (repr(settings), str(settings), f"{settings.channels}", settings.model_dump_json()):
        assert not [secret for secret in settings.secrets() if secret in text]


def test_frozen(tmp_path: Path) -> None:
    """Settings cannot be changed once they are read, channels included."""
    settings = load({}, folder=tmp_path)
    for thing, field in (
        (settings, "log_level"),
        (settings.telegram, "token"),
        (settings.channels[0], "name"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(thing, field, "debug")


def test_made_by_hand(tmp_path: Path) -> None:
    """Settings made in code take their arguments, and nothing of the environment or of `.env`."""
    settings = Settings.model_validate(
        {"data": tmp_path, "database_url": "sqlite:///queue.sqlite3", "timezone": ZoneInfo("Asia/Tokyo")}
    )
    assert settings.timezone == ZoneInfo("Asia/Tokyo")
    assert settings.channels == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [("/srv/queue", "/srv/queue"), ("~/queue", "/home/me/queue"), ("~", "/home/me"), ("~queue", "{}/~queue")],
)
def test_data_folder(tmp_path: Path, written: str, expected: str) -> None:
    """The data folder begins at the folder given, or at home where it says so."""
    settings = load({"THREADCAST_DATA": written, "HOME": "/home/me"}, folder=tmp_path)
    assert settings.data == Path(expected.format(tmp_path))


def test_intake_folder(tmp_path: Path) -> None:
    """The intake folder begins at the working folder too, and may lie within the data folder."""
    assert load({"THREADCAST_INTAKE": "drop here"}, folder=tmp_path).intake == tmp_path / "drop here"
    assert (
        load({"THREADCAST_INTAKE": "threadcast-data/in"}, folder=tmp_path).intake
        == tmp_path / "threadcast-data/in"
    )


def test_data_folder_without_home(tmp_path: Path) -> None:
    """Where no home is known, `~` is a name like any other."""
    assert load({"THREADCAST_DATA": "~/x"}, folder=tmp_path).data == tmp_path / "~" / "x"


class TestPlaces:
    """The environment, `.env` and files of secrets."""

    def test_order(self, tmp_path: Path) -> None:
        """The environment wins over `.env`, and `.env` over files of secrets."""
        (tmp_path / "secrets").mkdir()
        for name in ("DATA", "LOG_LEVEL", "TIMEZONE"):
            (tmp_path / "secrets" / f"THREADCAST_{name}").write_text("Asia/Tokyo\n")
        (tmp_path / ".env").write_text(
            "THREADCAST_SECRETS_DIR=secrets\nTHREADCAST_DATA=two\nexport THREADCAST_LOG_LEVEL='error'\n"
        )
        settings = load({"THREADCAST_DATA": "one", "THREADCAST_LOG_LEVEL": ""}, folder=tmp_path)
        assert settings.data == tmp_path / "one"
        assert settings.log_level == "error"
        assert settings.timezone == ZoneInfo("Asia/Tokyo")

    def test_dotenv_folder(self, tmp_path: Path) -> None:
        """A folder called `.env` is not read."""
        (tmp_path / ".env").mkdir()
        assert load({}, folder=tmp_path).log_level == "info"

    @pytest.mark.parametrize("spelling", ["THREADCAST_TELEGRAM__TOKEN", "telegram__token", "Telegram__Token"])
    def test_secret_files(self, tmp_path: Path, spelling: str) -> None:
        """A secret's file is named like its variable, with or without the prefix, and may be a link."""
        (tmp_path / "elsewhere").write_text(f"{BOT}\r\n")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / spelling).symlink_to(tmp_path / "elsewhere")
        (tmp_path / "run" / "..data").mkdir()
        (tmp_path / "run" / "another-program.key").write_bytes(b"\xff\xfe")
        environ = {**NEWS, "THREADCAST_SECRETS_DIR": str(tmp_path / "run")}
        assert load(environ, folder=tmp_path).secrets() == (BOT,)

    def test_dangling_secret(self, tmp_path: Path) -> None:
        """A secret whose link leads nowhere is not there."""
        (tmp_path / "telegram__token").symlink_to(tmp_path / "nowhere")
        settings = load({"THREADCAST_SECRETS_DIR": "."}, folder=tmp_path)
        assert settings.telegram.token is None

    @pytest.mark.parametrize("name", ["DATABASE_URL", "database_url", "THREADCAST_DATABASE_URL"])
    def test_database_url_from_a_file(self, tmp_path: Path, name: str) -> None:
        """The database's URL may stand in a file of secrets."""
        (tmp_path / name).write_text("postgres://me:hidden-word@db.example/queue\n")
        settings = load({"THREADCAST_SECRETS_DIR": "."}, folder=tmp_path)
        assert settings.secrets() == ("hidden-word",)

    def test_database_url_of_a_host(self, tmp_path: Path) -> None:
        """DATABASE_URL is read, and THREADCAST_DATABASE_URL wins over it wherever it stands."""
        environ = {"DATABASE_URL": "postgres://a.example/queue"}
        assert load(environ, folder=tmp_path).database_url.get_secret_value() == environ["DATABASE_URL"]
        (tmp_path / ".env").write_text("THREADCAST_DATABASE_URL=sqlite:////srv/queue.db\n")
        assert load(environ, folder=tmp_path).database_url.get_secret_value() == "sqlite:////srv/queue.db"
