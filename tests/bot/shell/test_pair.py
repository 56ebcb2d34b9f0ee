"""`pair` prints a link that lets in who opens it, and says what is missing for that."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import structlog

from tests.bot.shell.terminal import terminal, threadcast
from tests.bot.shell.typed import Shell
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.shell.exits import Exit
from threadcast.config.logs import FILE, configure


@pytest.fixture
def server(shell: Shell) -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        server.add_bot()
        shell.env |= {"THREADCAST_TELEGRAM__TOKEN": TOKEN, "THREADCAST_TELEGRAM__API_URL": server.url}
        yield server


def test_a_link(shell: Shell, server: TelegramServer) -> None:
    """The link is that of the bot; a new one each time, for an owner or an editor."""
    said = shell.ok("pair").splitlines()
    assert said[0].startswith("https://t.me/example_bot?start=")
    assert "is an owner from then on" in said[1]
    assert "threadcast run" in said[2]
    found = shell.json("pair", "--editor")
    assert found["role"] == "editor"
    assert found["minutes"] == 10
    assert found["link"] != said[0]
    with shell.service():
        assert "threadcast run" not in shell.ok("pair")


def test_no_bot(shell: Shell) -> None:
    """Without a token that is wrong usage, which says where the token comes from."""
    result = shell("pair")
    assert result.exit_code == 2
    assert "THREADCAST_TELEGRAM__TOKEN" in result.stderr


def test_a_bad_token(shell: Shell, server: TelegramServer) -> None:
    """A token that Telegram does not know is said, without a part of it."""
    server.revoke()
    result = shell("pair")
    assert result.exit_code == Exit.CHECK_FAILED
    assert "@BotFather" in result.stderr
    assert TOKEN.partition(":")[2] not in result.output


def test_a_terminal_shows_a_code(shell: Shell, server: TelegramServer) -> None:
    """On a terminal the link is drawn, to be read with a phone; in a pipe it is not."""
    assert "█ ▄▄▄▄▄ █" not in shell.ok("pair")
    with terminal(threadcast("pair"), folder=shell.folder, env=shell.env, columns=60) as shown:
        shown.wait_for("threadcast run")
    drawn = [line for line in shown.shown.splitlines() if "█" in line]
    assert len(drawn) == 16
    assert len(set(map(len, drawn))) == 1


def test_the_log_that_stays_has_no_code(shell: Shell, capfd: pytest.CaptureFixture[str]) -> None:
    """A link is printed where the service runs, and the file that is kept has it without its code."""
    path = shell.folder / FILE
    configure("info", "json", file=path)
    link = "https://t.me/example_bot?start=Ze9bt-ZXAXO0aqWCDen2zA"
    structlog.get_logger("threadcast.chat").warning("nobody steers this service yet", link=link)
    assert link in capfd.readouterr().err
    assert '"link": "https://t.me/example_bot?start=***"' in path.read_text()


def test_the_page_is_elsewhere(shell: Shell, server: TelegramServer) -> None:
    """A link to the page comes with a word where another program is there, or nobody, or no service runs."""
    shell.ok("queue")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        for port in (silent.getsockname()[1], urlsplit(server.url).port):
            place = f"127.0.0.1:{port}"
            shell.env["THREADCAST_WEB__LISTEN"] = place
            assert shell.ok("page").splitlines()[-1] == "The service has to run for that: threadcast run"
            with shell.service():
                said = shell.ok("page").splitlines()
            assert said[0].startswith(f"http://{place}/")
            assert said[-1].startswith(f"The page does not answer at {place}.")
