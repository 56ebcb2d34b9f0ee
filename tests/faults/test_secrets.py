"""No secret is in anything that Threadcast writes, whatever goes wrong around it.

What may hold them: the environment of the process (`/proc/PID/environ`), which is how they are given, and
which only its user can read. Command lines everybody can read: they hold none.
"""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.e2e.house import PATIENCE, RUN, House, Process, thread_text
from tests.servers.http import Answer, Cut, LoopbackServer, Request, Response
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.build import build_channels
from threadcast.config.settings import load

pytestmark = pytest.mark.e2e

BOT = "5551234567:AAk_9fQ-WzXcVbNmLkJhGfDsAqWeRtYuIo3"
PASSWORD = "s3cr=t/w0rd+Of.db&user"
FAULTS = ("denied", "refused", "broken", "garbled", "moved", "busy", "cut", "odd", "crash")
TOKENS = {fault: f"{fault}-tOk3n.QwErTyUiOpAsDfGh_{number}xZ~9" for number, fault in enumerate(FAULTS)}
SECRETS = (BOT.partition(":")[2], PASSWORD, *TOKENS.values())
WINDOW = 10  # so many characters of a secret in a row are a piece of it

# The service, or a command, with an adapter or a view that breaks with a token in its hands.
BREAKING = """
import sys
from threadcast.bot.shell import views
from threadcast.bot.channels.mastodon import channel as mastodon
from threadcast.bot.shell.cli import cli

token, right = sys.argv.pop(1), mastodon.MastodonChannel.send

def breaking(*words):
    held = {"Authorization": f"Bearer {token}"}
    raise RuntimeError(f"broken at {token}", held, token.encode())

async def send(self, outgoing):
    return breaking(outgoing) if self.name == "m-crash" else await right(self, outgoing)

mastodon.MastodonChannel.send = send
views.history = breaking
cli(sys.argv[1:], prog_name="threadcast")
"""


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as it reads in URLs, JSON, Python and base64, wherever in a longer text."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    for lead in range(3):  # by what stands before it
        coded = base64.b64encode(b"\0" * lead + secret.encode()).decode()
        yield coded[4 if lead else 0 : -4]


PIECES = {
    form[start : start + WINDOW]
    for secret in SECRETS
    for form in forms(secret)
    for start in range(len(form) - WINDOW + 1)
}


def secrets_in(text: str) -> set[str]:
    return {piece for piece in PIECES if piece in text}


class Parrot(LoopbackServer):
    """Speaks both networks' ways, badly, and always repeats the token that it was given."""

    def handle(self, request: Request) -> Answer:
        if bot := re.match(r"/bot([^/]+)/(\w+)", request.path):
            return self._telegram(bot[1], bot[2], request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        fault = next((fault for fault, one in TOKENS.items() if one == token), "denied")
        if "/instance" in request.path and fault not in {"moved", "garbled"}:
            return Response(200, {"version": "4.6.0", "domain": token})
        return self._go_wrong(
            fault, token, {"error": f"no good: {token}", "error_description": request.headers}
        )

    def _telegram(self, token: str, method: str, request: Request) -> Answer:
        user = {"id": 5551234567, "is_bot": True, "first_name": "b", "username": "a_bot"}
        if method == "getMe":
            return Response(200, {"ok": True, "result": user})
        fields = request.json if request.content_type == "application/json" else request.form
        chat = str(fields.get("chat_id", "")).strip("[]'@")
        fault = chat.removeprefix("chat_")
        words = f"Bad Request: {token} is not welcome at /bot{token}/{method}"
        return self._go_wrong(
            fault, token, {"ok": False, "error_code": 400, "description": words, "result": {"text": token}}
        )

    def _go_wrong(self, fault: str, token: str, content: object) -> Answer:  # noqa: PLR0911  # one each
        page = Response(502, f"<html>{token} {quote(token)}</html>".encode(), {"X-Token": token})
        match fault:
            case "denied":
                return Response(401, content)
            case "refused":
                return Response(422 if isinstance(content, dict) and "ok" not in content else 400, content)
            case "broken":
                return page
            case "garbled":
                return Response(200, f'{{"token": "{token}'.encode())
            case "moved":
                return Response(
                    302, content, {"Location": f"https://{token}@127.0.0.1/{token}?access_token={token}"}
                )
            case "busy":
                return Response(429, content, {"Retry-After": "9", "X-RateLimit-Reset": token})
            case "cut":
                return Cut(page)
            case _:
                return Response(
                    200,
                    {"ok": True, "result": {"message_id": token}, "id": {"token": token}, "content": token},
                )


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    with Parrot() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, parrot: Parrot) -> House:
    """A house whose channels lead to the parrot, one of each kind a fault, and a local one with a page."""
    house = House(tmp_path, TelegramServer(), MastodonServer())
    house.env = {
        "THREADCAST_LOG_LEVEL": "debug",
        "THREADCAST_INTAKE": "drop",
        "THREADCAST_TELEGRAM__TOKEN": BOT,
        "THREADCAST_TELEGRAM__API_URL": parrot.url,
        "THREADCAST_CHANNELS__PAGE__KIND": "local",
    }
    for fault, token in TOKENS.items():
        prefix = "THREADCAST_CHANNELS__"
        house.env |= {
            f"{prefix}M-{fault}__KIND".upper(): "mastodon",
            f"{prefix}M-{fault}__URL".upper(): parrot.url,
            f"{prefix}M-{fault}__TOKEN".upper(): token,
            f"{prefix}T-{fault}__KIND".upper(): "telegram",
            f"{prefix}T-{fault}__CHAT".upper(): f"@chat_{fault}",
        }
    (tmp_path / "drop").mkdir()
    return house


def breaking(token: str, *words: str) -> list[str]:
    return [sys.executable, "-c", BREAKING, token, *words]


def wait_for_all(service: Process) -> None:
    """Wait until every channel came to something."""
    names = [f"{kind}-{fault}" for kind in "mt" for fault in FAULTS]
    ends = ("stopped", "waiting", "unsure", "unclear", "looked")

    def come_to_something(name: str) -> bool:
        return any(name in line and any(end in line for end in ends) for line in service.lines)

    with service.said:
        done = service.said.wait_for(lambda: all(map(come_to_something, names)), PATIENCE)
    assert done, [name for name in names if not come_to_something(name)]


def test_a_run_with_failures_of_every_kind(house: House) -> None:
    """Logs at DEBUG, answers, files, database and command lines hold not ten characters of any secret."""
    (house.folder / "drop" / "good.txt").write_text(thread_text(1, 3), encoding="utf-8")
    (house.folder / "drop" / "bad.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    said: dict[str, str] = {}
    # The token is handed to the broken adapter in an argument: this test's doing, and no place to look at.
    with house.running(*breaking(TOKENS["crash"], "run")) as service:
        wait_for_all(service)
        assert service.stop() == 0
        said["the log"] = "".join(service.lines)
    assert "Traceback" in said["the log"], "a crash shows where it was"
    house.env["THREADCAST_LOG_FORMAT"] = "json"
    with house.running(*RUN) as service:
        service.wait_for("running")
        process = Path(f"/proc/{service.popen.pid}")
        if process.exists():
            said["the command line"] = (process / "cmdline").read_bytes().decode()
            said["the threads"] = "".join(path.read_text() for path in process.glob("task/*/comm"))
        for words in (
            ["check"], ["config"], ["channels"], ["queue"], ["events", "--json"], ["show", "1", "--json"],
            ["retry", "1"], ["settle", "1", "not-sent", "--channel", "t-broken"],
        ):  # fmt: skip
            done = house.command(*words)
            assert done.returncode != 1, done.stderr
            said[" ".join(["threadcast", *words])] = done.stdout + done.stderr
        assert service.stop() == 0
        said["the second log"] = "".join(service.lines)
    broken = subprocess.run(
        breaking(TOKENS["crash"], "history"),
        cwd=house.folder,
        env=house.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert broken.returncode == 1
    assert "RuntimeError" in broken.stderr
    said["a crash of ours"] = broken.stdout + broken.stderr
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    said |= {str(path): path.read_bytes().decode("utf-8", "replace") for path in files}
    for must in ("queue.sqlite3", "timeline.html", "good.txt.report.txt", "bad.txt.report.txt"):
        assert any(path.name == must for path in files), must
    assert {where: secrets_in(text) for where, text in said.items() if secrets_in(text)} == {}


def test_a_database_that_cannot_be_reached(house: House) -> None:
    """The password of a database is in no message about it, readable or not."""
    quoted = quote(PASSWORD, safe="")
    unreachable, malformed = (["run"], ["check"]), (["queue"],)
    for url, commands in (
        (f"postgresql://ada:{quoted}@127.0.0.1:1/news", unreachable),
        (f"postgresql://ada@127.0.0.1:1/news?password={quoted}", unreachable),
        (f"postgres://ada:{PASSWORD}@127.0.0.1:1/news", malformed),
        (f"mysql://ada:{quoted}@127.0.0.1/news", malformed),
        (f"postgresql://ada:x@127.0.0.1:{quoted}/news", malformed),
    ):
        house.env["DATABASE_URL"] = url
        for words in commands:
            done = house.command(*words)
            assert done.returncode in {4, 5, 8}, done.stderr
            assert secrets_in(done.stdout + done.stderr) == set(), words


def test_settings_that_are_wrong(house: House) -> None:
    """A secret in the wrong place, or with something wrong with it, is not repeated."""
    house.env |= {
        "THREADCAST_TELEGRAM__TOKEN": f"{BOT} {PASSWORD}",
        "THREADCAST_CHANNELS__M-DENIED__TOKEN": f"Bearer {TOKENS['denied']}",
        f"THREADCAST_{TOKENS['odd']}": "1",
        "THREADCAST_TIMEZONE": TOKENS["busy"],
        "THREADCAST_LOG_LEVEL": TOKENS["cut"],
    }
    (house.folder / ".env").write_text(f"THREADCAST_DATA:{PASSWORD}\n{BOT}\n", encoding="utf-8")
    done = house.command("run")
    assert done.returncode == 4
    assert "THREADCAST_TELEGRAM__TOKEN" in done.stderr
    assert secrets_in(done.stdout + done.stderr.replace(TOKENS["odd"], "(a name)")) == set()


def test_what_python_shows(house: House) -> None:
    """`repr` of settings and channels, and what formats them, hold no secret."""
    house.env["DATABASE_URL"] = f"postgresql://ada:{quote(PASSWORD, safe='')}@127.0.0.1:1/news"
    settings = load(house.env, folder=house.folder)
    channels = build_channels(settings)
    shown = [
        repr(settings),
        str(settings),
        f"{settings.model_dump()}",
        repr(channels),
        settings.model_dump_json(),
    ]
    assert set(SECRETS) <= {one.rpartition(":")[2] for one in settings.secrets()}
    for text in (*shown, *map(str, channels)):
        assert secrets_in(text) == set()
