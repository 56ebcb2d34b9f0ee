"""A Mastodon account is opened to us in a browser; its code comes back by itself, or is pasted."""

import json
import os
import select
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from secrets import token_urlsafe
from typing import Final
from urllib.parse import parse_qs, urlsplit

import click

from threadcast.bot.channels.mastodon.oauth.application import BY_PASTE, Application, exchange, register
from threadcast.bot.data_folder import make_folder
from threadcast.bot.durable import write_whole
from threadcast.bot.languages import _
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import Screen, safe
from threadcast.config.settings import Settings

AGAIN: Final = "threadcast setup"
BEGUN: Final = "mastodon-application.json"  # in the data folder, until its code is exchanged
SEEN: Final = "<!doctype html><meta charset=utf-8><title>Threadcast</title><p>{} {}"


def by_browser(server: str, settings: Settings, screen: Screen) -> str:
    """Return the access token of the account whose owner allows it in a browser; empty where it is left out.

    The browser brings the code to this machine. One on another machine cannot, and shows its address. Raises
    CallError, FaultError.
    """
    with _Callback(token_urlsafe(16)) as callback:
        application = register(server, callback.address, settings.proxies)
        address = application.address(callback.state)
        screen.say(_("Open this address in a browser, sign in and allow it:"))
        screen.say(f"  {safe(address)}", whole=True)
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
            click.launch(address)
        screen.say(
            _(
                "I wait for it. Where the browser runs on another machine, it ends on a page that cannot be "
                "shown: paste the address of that page here. Enter alone leaves Mastodon out."
            )
        )
        code = _code_of(callback)
    return exchange(application, code, settings.proxies) if code else ""


def by_code(server: str, code: str | None, settings: Settings) -> str:
    """Return the access token for a code that a script was given; without one, say where there is one.

    Raises CallError, FaultError.
    """
    path = settings.data / BEGUN
    if code is None:
        application = register(server, BY_PASTE, settings.proxies)
        make_folder(settings.data)
        write_whole(path, json.dumps(asdict(application)).encode())
        said = _(
            "open {address} in a browser, allow it, and call the same again with the code that it shows: "
            "{option}"
        )
        raise click.UsageError(said.format(address=application.address(), option="--mastodon-code CODE"))
    with suppress(OSError, ValueError, TypeError):
        application = Application(**json.loads(path.read_bytes()))
        if application.server == server:
            token = exchange(application, code.strip(), settings.proxies)
            path.unlink()
            return token
    said = _("no code of {server} is waited for here: call the same without {option} first")
    raise FaultError(said.format(server=server, option="--mastodon-code"), Exit.USAGE)


class _Callback(HTTPServer):
    """Takes the code from the browser, on a port of this machine that is free."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.state = state
        self.asked: dict[str, list[str]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away is no fault."""


class _Answer(BaseHTTPRequestHandler):
    server: _Callback
    timeout = 5  # seconds; one that says nothing keeps nobody waiting

    def do_GET(self) -> None:  # the base class's name
        asked = parse_qs(urlsplit(self.path).query)
        ours = f"127.0.0.1:{self.server.server_port}" == self.headers.get("Host")
        is_it = ours and _first(asked, "state") == self.server.state
        if is_it:
            self.server.asked = asked
        said = (
            _("Threadcast goes on in your terminal.")
            if is_it
            else _("This is not what Threadcast waits for.")
        )
        self.send_response(200 if is_it else 400)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(SEEN.format(said, _("You can close this page.")).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: the code is in the address."""


def _code_of(callback: _Callback) -> str:
    """Wait for the code: from the browser, or pasted, alone or in an address. Empty where it is left out."""
    with _without_echo():
        while not callback.asked:
            ready, _out, _failed = select.select([callback, sys.stdin], [], [])
            if callback in ready:
                callback.handle_request()
            elif (typed := sys.stdin.readline().strip()) and "?" in typed:
                asked = parse_qs(urlsplit(typed).query)
                callback.asked = asked if _first(asked, "state") == callback.state else {}
                if not callback.asked:
                    said = _("That is another address: paste that of the browser's last page.")
                    click.echo(said, err=True)
            else:
                return typed
    if code := _first(callback.asked, "code"):
        return code
    said = _("it was not allowed in the browser; to try again: {command}").format(command=AGAIN)
    raise FaultError(said, Exit.NOT_ALLOWED)


def _first(asked: dict[str, list[str]], name: str) -> str:
    return next(iter(asked.get(name, ())), "")


@contextmanager
def _without_echo() -> Iterator[None]:
    """A code opens the account: what is pasted is not shown."""
    before = termios.tcgetattr(sys.stdin)
    quiet = before.copy()
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
