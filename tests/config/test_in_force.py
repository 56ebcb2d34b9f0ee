"""What is in force is told with where it was written, and no secret."""

from pathlib import Path

import pytest

from threadcast.config.settings import InForce, SettingsError, in_force

BOT = "123456789:AAabcdefghijklmnopqrstuvwxyzABCDEFG"
OWN = "987654321:BBabcdefghijklmnopqrstuvwxyzABCDEFG"


def shown(environ: dict[str, str], folder: Path) -> dict[str, InForce]:
    return {one.name: one for one in in_force(environ, folder=folder)}


def test_nothing_set(tmp_path: Path) -> None:
    """With nothing set everything is a default, the local channel too."""
    found = shown({}, tmp_path)
    assert {one.source for one in found.values()} == {"default"}
    assert found["THREADCAST_DATA"].value == str(tmp_path / "threadcast-data")
    assert found["THREADCAST_DATABASE_URL"].value == f"sqlite:///{tmp_path}/threadcast-data/queue.sqlite3"
    assert found["THREADCAST_CHANNELS__LOCAL__KIND"].value == "local"
    assert found["THREADCAST_TELEGRAM__TOKEN"].value == ""


def test_every_place(tmp_path: Path) -> None:
    """Each setting tells the place that won: the environment, `.env`, a secrets file."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "telegram__token").write_text(BOT)
    (tmp_path / ".env").write_text("THREADCAST_LOG_LEVEL=debug\nTHREADCAST_TIMEZONE=Asia/Tokyo\n")
    found = shown(
        {
            "THREADCAST_SECRETS_DIR": "secrets",
            "THREADCAST_TIMEZONE": "Europe/Berlin",
            "DATABASE_URL": "sqlite:///q",
        },
        tmp_path,
    )
    assert found["THREADCAST_LOG_LEVEL"].source == ".env"
    assert found["THREADCAST_TIMEZONE"] == InForce(
        "THREADCAST_TIMEZONE", "Europe/Berlin", "environment", secret=False
    )
    assert "SECRETS_DIR" in found["THREADCAST_TELEGRAM__TOKEN"].source
    assert found["THREADCAST_DATABASE_URL"].source == "environment, as DATABASE_URL"
    assert found["THREADCAST_SECRETS_DIR"].value == "secrets"


def test_no_secret(tmp_path: Path) -> None:
    """Tokens and passwords are masked, and the rest of a database's address is not."""
    environ = {
        "THREADCAST_DATABASE_URL": "postgresql://me:hunter2@db.example/queue",
        "THREADCAST_TELEGRAM__TOKEN": BOT,
        "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
        "THREADCAST_CHANNELS__NEWS__CHAT": "@my_news",
        "THREADCAST_CHANNELS__OWN__KIND": "telegram",
        "THREADCAST_CHANNELS__OWN__CHAT": "@my_own",
        "THREADCAST_CHANNELS__OWN__TOKEN": OWN,
        "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
        "THREADCAST_CHANNELS__MASTO__URL": "https://social.example",
        "THREADCAST_CHANNELS__MASTO__TOKEN": "correct-horse-battery-staple",
    }
    found = shown(environ, tmp_path)
    text = "\n".join(f"{one!r}" for one in found.values())
    for secret in ("hunter2", BOT, OWN, "correct-horse"):
        assert secret not in text
    assert found["THREADCAST_DATABASE_URL"].value == "postgresql://me:***@db.example/queue"
    assert found["THREADCAST_CHANNELS__NEWS__TOKEN"] == InForce(
        "THREADCAST_CHANNELS__NEWS__TOKEN", "***", "THREADCAST_TELEGRAM__TOKEN", secret=True
    )
    assert found["THREADCAST_CHANNELS__OWN__TOKEN"].source == "environment"
    assert found["THREADCAST_CHANNELS__MASTO__VISIBILITY"].value == "public"


def test_wrong_settings(tmp_path: Path) -> None:
    """Where the settings are wrong there is nothing in force to tell of."""
    with pytest.raises(SettingsError):
        in_force({"THREADCAST_NONSENSE": "x"}, folder=tmp_path)
