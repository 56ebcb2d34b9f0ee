"""`setup`: from nothing to channels that publish, typed on a terminal or given as options."""

import re
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.shell.terminal import Terminal, terminal, threadcast
from tests.bot.shell.typed import THREAD, Shell
from tests.servers.mastodon.manners import GOTOSOCIAL, MASTODON, TAKAHE, Manners
from tests.servers.mastodon.oauth import browse, decide
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import only_one, prepare
from threadcast.bot.people.people import Role, admit
from threadcast.bot.shell.setup.dotenv import filled
from threadcast.config.settings import load

SECRET = TOKEN.partition(":")[2]
BEFORE = "# mine\nTHREADCAST_TIMEZONE=Europe/Berlin\n\nOTHER=kept # why\n"


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        server.add_bot()
        yield server


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        server.oauth.signed_in = server.add_account(scopes=())
        yield server


@pytest.fixture
def bare(shell: Shell, telegram: TelegramServer) -> Shell:
    """A folder in which nothing is set up, and a Bot API server for what will be."""
    (shell.folder / ".env").write_text(BEFORE)
    shell.env = {
        "HOME": str(shell.folder / "home"),
        "THREADCAST_WEB__LISTEN": "off",
        "THREADCAST_TELEGRAM__API_URL": telegram.url,
        "THREADCAST_TELEGRAM__RATE": "1000",
    }
    return shell


def link_of(shown: Terminal, pattern: str) -> str:
    """An address that is on the screen."""
    shown.wait_until(lambda text: re.search(pattern, text) is not None, pattern)
    found = re.search(pattern, shown.shown)
    assert found
    return found[0]


def test_the_whole_way(bare: Shell, telegram: TelegramServer, mastodon: MastodonServer) -> None:
    """Typed on a terminal: bot, owner, channel, account, a test that comes and goes, the first thread."""
    ada = telegram.person("Ada", user_id=1111)
    news = telegram.add_chat(username="my_channel", with_bots=False)
    with terminal(threadcast("setup"), folder=bare.folder, env=bare.env, columns=100) as shown:
        shown.wait_for("bot's token")
        shown.press("nonsense\r")
        shown.wait_for("That is no bot's token")
        shown.wait_until(lambda text: text.count("The bot's token") == 2)
        shown.press(f"{TOKEN}\r")
        shown.wait_for("That is @example_bot.")
        code = link_of(shown, r"start=[\w-]{22}").partition("=")[2]
        shown.wait_for("I wait for it, ten minutes")
        ada.starts(code)
        shown.wait_for("Ada steers the bot from now on.")
        shown.wait_for("Now add @example_bot")
        ada.adds_bot(news)
        shown.wait_for("press “Publish here” in its chat")
        ada.waits_for(lambda seen: any(("Publish here",) in one.buttons for one in seen))
        ada.presses("Publish here")
        shown.wait_for("which is called my_channel.")
        shown.wait_for("Mastodon: your server")
        shown.press(f"{mastodon.url}\r")
        address = link_of(shown, rf"{mastodon.url}/oauth/authorize\S+")
        shown.wait_for("Enter alone leaves Mastodon out")
        assert "goes on in your terminal" in browse(address).text
        shown.wait_for("Publish two test posts on masto, my_channel")
        shown.press("y\r")
        shown.wait_for("All is set up.")
        assert shown.end() == 0
    assert "my_channel: 2/2 taken down" in shown.shown
    assert "masto: 2/2 taken down" in shown.shown
    assert [one.text for one in mastodon.statuses()] == []
    assert [one for one in news.messages.values() if one.text] == []
    assert "\x1b[2m20" not in shown.shown  # no line of the log is between what is asked
    for secret in (SECRET, "of-an-account", "secret-of-client"):
        assert secret not in shown.shown
    kept = (bare.folder / ".env").read_text()
    assert kept.startswith(BEFORE)
    assert stat.S_IMODE((bare.folder / ".env").stat().st_mode) == 0o600
    scopes = mastodon.oauth.apps["client-1"].scopes
    assert scopes == {"read:accounts", "read:statuses", "write:statuses", "write:media"}
    again = bare.ok("setup")
    for said in ("@example_bot is set up already", "You steer the bot already", "my_channel", "masto"):
        assert said in again
    assert (bare.folder / ".env").read_text() == kept
    first_thread(bare, ada)
    assert len([one for one in news.messages.values() if one.text]) == 3
    assert len(mastodon.statuses()) == 3


def first_thread(bare: Shell, ada: Person) -> None:
    """Start the service on what was set up, send its bot a thread, press Publish, and wait for the end."""
    with terminal(threadcast("run"), folder=bare.folder, env=bare.env, columns=100) as service:
        ada.says(THREAD)
        ada.waits_for(lambda seen: any("Publish" in row for one in seen for row in one.buttons))
        ada.presses("Publish")
        ada.waits_for(lambda seen: any(one.text.count(" published") == 2 for one in seen))
        assert service.interrupt() == 0


def test_it_is_spoken(bare: Shell) -> None:
    """All that set-up asks and says is in the language of the terminal, the test thread too."""
    bare.env |= {"THREADCAST_CHANNELS__NEWS__KIND": "local", "LANG": "de_DE.UTF-8"}
    result = bare("setup", "--without", "telegram")
    assert "gib --mastodon SERVER an, oder lass diesen Schritt aus: --without mastodon" in result.stderr
    said = bare.ok("setup", "--without", "telegram", "--without", "mastodon", "--test")
    for sentence in ("Einstellungen stehen in", "news: 2/2 zurückgenommen", "Alles ist eingerichtet."):
        assert sentence in said
    assert "Das ist ein Test" in bare.ok("show", "1")


def test_left_and_taken_up(bare: Shell, telegram: TelegramServer) -> None:
    """Ctrl-C ends it at any step, and what was reached stays; Enter leaves a step out."""
    with terminal(threadcast("setup"), folder=bare.folder, env=bare.env) as shown:
        shown.wait_for("bot's token")
        shown.press(f"{TOKEN}\r")
        shown.wait_for("I wait for it, ten minutes")
        telegram.wait_for(lambda server: any(one.method == "getUpdates" for one in server.calls))
        assert shown.interrupt() == 130
    with terminal(threadcast("setup"), folder=bare.folder, env=bare.env) as shown:
        shown.wait_for("the bot @example_bot is set up already")
        shown.wait_for("I wait for it, ten minutes")
        shown.press("\r")
        shown.wait_for("Left out. Later: threadcast pair")
        shown.wait_for("Mastodon: your server")
        shown.press("no server\r")
        shown.wait_for("is no server's address")
        shown.press("http://127.0.0.1:9\r")
        shown.wait_for("the server cannot be reached")
        shown.wait_until(lambda text: text.count("Mastodon: your server") == 3)
        shown.press("\r")
        shown.wait_for("Mastodon is left out.")
        shown.wait_for("No channel is set up yet.")
        assert shown.end() == 0


def test_a_service_that_runs_hears(bare: Shell, telegram: TelegramServer) -> None:
    """Where a service runs already, it hears the bot; set-up sees what comes of it in the queue."""
    bare.env["THREADCAST_TELEGRAM__TOKEN"] = TOKEN
    configured = load(bare.env, folder=bare.folder)
    words = threadcast("setup", "--without", "chat", "--without", "mastodon", "--no-test")
    with only_one(configured), terminal(words, folder=bare.folder, env=bare.env, columns=100) as shown:
        shown.wait_for("A service is running here")
        shown.wait_for("I wait for it, ten minutes")
        with closing(prepare(configured)) as database:
            admit(database.notes, 1111, Role.OWNER, by="service", now=now())
        shown.wait_for("telegram:1111 steers the bot from now on.")
        assert shown.end() == 0


def test_a_browser_elsewhere(bare: Shell, mastodon: MastodonServer) -> None:
    """Where the browser cannot reach this machine, the address of its last page is pasted, and not shown."""
    words = threadcast("setup", "--without", "telegram", "--mastodon", mastodon.url, "--no-test")
    with terminal(words, folder=bare.folder, env=bare.env, columns=100) as shown:
        address = link_of(shown, rf"{mastodon.url}/oauth/authorize\S+")
        shown.wait_for("Enter alone leaves Mastodon out")
        shown.press("http://127.0.0.1:1/?code=forged&state=other\r")
        shown.wait_for("That is another address")
        shown.press(decide(address) + "\r")
        shown.wait_for("All is set up.")
        assert shown.end() == 0
    assert "of-an-account" not in shown.shown
    assert mastodon.oauth.compared == 1
    assert "__MASTO__TOKEN=token-3-of-an-account" in (bare.folder / ".env").read_text()


def test_not_allowed(bare: Shell, mastodon: MastodonServer) -> None:
    """Who presses No in the browser is told so, and nothing is written."""
    words = threadcast("setup", "--without", "telegram", "--mastodon", mastodon.url)
    with terminal(words, folder=bare.folder, env=bare.env, columns=100) as shown:
        address = link_of(shown, rf"{mastodon.url}/oauth/authorize\S+")
        browse(address, allow=False)
        shown.wait_for("it was not allowed in the browser")
        assert shown.end() == 7
    assert (bare.folder / ".env").read_text() == BEFORE


@pytest.mark.parametrize("manners", [MASTODON, GOTOSOCIAL, TAKAHE], ids=lambda one: one.software)
def test_a_script(bare: Shell, telegram: TelegramServer, manners: Manners) -> None:
    """A script gives all as options, and is told the next one that is missing; a code in a second call."""
    telegram.add_chat(username="my_channel")
    bare.write(TOKEN + "\n", "token")
    words = ["setup"]

    def refused(*more: str) -> str:
        words.extend(more)
        result = bare(*words)
        assert result.exit_code == 2, result.output
        return result.stderr

    assert "say --bot-token-file FILE, or leave that step out: --without telegram" in refused()
    assert "say --admin ID" in refused("--bot-token-file", "token")
    assert "say --chat CHAT" in refused("--admin", "1111")
    assert "say --mastodon SERVER" in refused("--chat", "@my_channel")
    with MastodonServer(manners=manners) as mastodon:
        mastodon.oauth.signed_in = mastodon.add_account(scopes=())
        said = refused("--mastodon", mastodon.url)
        address = re.search(r"http\S+/oauth/authorize\S+", said)
        assert address
        assert "--mastodon-code CODE" in said
        code = re.search(r"<code>(.*)</code>", browse(address[0]).text)
        assert code
        wrong = bare(*words, "--mastodon-code", "wrong")
        assert wrong.exit_code == 8
        assert "does not take the code" in wrong.stderr
        assert "All is set up" in bare.ok(*words, "--mastodon-code", code[1], "--test")
        assert mastodon.oauth.compared == (manners is MASTODON)  # with who asked for the code
        assert [one.text for one in mastodon.statuses()] == []
    assert not (bare.folder / "threadcast-data/mastodon-application.json").exists()
    settings = load({}, folder=bare.folder)
    assert [one.name for one in settings.channels] == ["masto", "my_channel"]
    assert settings.telegram.admins == (1111,)


def test_what_is_wrong_is_not_written(bare: Shell, telegram: TelegramServer) -> None:
    """A bot that Telegram does not know, a chat in which it may not post: said, and nothing is written."""
    telegram.revoke()
    bare.write(TOKEN, "token")
    result = bare("setup", "--bot-token-file", "token")
    assert result.exit_code == 4
    assert "@BotFather" in result.stderr
    assert SECRET not in result.output
    assert (bare.folder / ".env").read_text() == BEFORE
    telegram.add_bot()
    refused = bare("setup", "--bot-token-file", "token", "--admin", "1111", "--chat", "@nowhere")
    assert refused.exit_code == 8
    assert "nowhere was not set up" in refused.stderr
    assert "NOWHERE" not in (bare.folder / ".env").read_text()


def test_waiting_threads_stay(shell: Shell) -> None:
    """Where other threads wait, the test is not published, and neither are they."""
    shell.ok("add", shell.write("1/ The lamp.\n2/ The sea. /end\n"))
    said = shell.ok("setup", "--without", "telegram", "--without", "mastodon", "--test")
    assert "No test: other threads wait" in said
    assert [one["state"] for one in shell.json("queue")["deliveries"]] == ["queued", "queued"]


def test_run_offers_it(bare: Shell) -> None:
    """Where nothing is set up, `run` offers it on a terminal; No goes on with one local channel."""
    (bare.folder / ".env").unlink()
    env = {name: value for name, value in bare.env.items() if "TELEGRAM" not in name}
    with terminal(threadcast("run"), folder=bare.folder, env=env, columns=100) as shown:
        shown.wait_for("Set it up now?")
        shown.press("n\r")
        shown.wait_for("running")
        assert shown.interrupt() == 0
    with terminal(threadcast("run"), folder=bare.folder, env=env, columns=100) as shown:
        shown.wait_for("running")  # its queue is there: it is not asked again
        assert shown.interrupt() == 0


LINES = st.lists(
    st.sampled_from(["# a comment", "", "A=1", "THREADCAST_TIMEZONE=UTC", "export B='x y'", "C=#d"]),
    max_size=6,
)


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_the_file_keeps_what_stands_in_it(lines: list[str], end: str, ends: bool, empty: bool) -> None:
    """Whatever stands in the file stays, line by line; a setting that stands there empty is filled."""
    lines = [*lines, *(["THREADCAST_LANGUAGE="] if empty else [])]
    after = filled(
        end.join(lines) + (end if ends else ""), {"THREADCAST_LANGUAGE": "de", "THREADCAST_DATA": "/x"}
    ).splitlines()
    filled_in = ["THREADCAST_LANGUAGE=de" if one == "THREADCAST_LANGUAGE=" else one for one in lines]
    kept = [one for one in filled_in if one]
    assert [one for one in after if one][: len(kept)] == kept
    assert after.count("THREADCAST_LANGUAGE=de") == after.count("THREADCAST_DATA=/x") == 1


def test_a_link_stays_one(tmp_path: Path) -> None:
    """Where `.env` is a link to a file elsewhere, that file is written."""
    from threadcast.bot.shell.setup.dotenv import keep  # noqa: PLC0415

    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to("real")
    keep(tmp_path / ".env", {"THREADCAST_TIMEZONE": "UTC"})
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real").read_text() == "A=1\nTHREADCAST_TIMEZONE=UTC\n"
