"""A server lets us post for an account: an application is registered, allowed, and its code exchanged.

https://docs.joinmastodon.org/client/token/#flow and https://www.rfc-editor.org/rfc/rfc6749#section-4.1. Not
through Mastodon.py, which would take code and secret to whatever address the server names.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

import requests

from threadcast.bot.channels.mastodon.errors import CallError, Fault, of_answer, of_transport
from threadcast.bot.channels.mastodon.session import Session, read_json
from threadcast.config.logs import conceal
from threadcast.config.proxies import Proxies
from threadcast.queue.sentences import Sentence

NAME: Final = "Threadcast"
TIMEOUT: Final = 30.0  # seconds
BY_PASTE: Final = "urn:ietf:wg:oauth:2.0:oob"  # the server shows the code, and the person copies it
# What publishing needs, as `check` judges it; then what servers know that have no narrower ones.
SCOPES: Final = ("read:accounts read:statuses write:statuses write:media", "read write")
NO_SCOPES: Final = (400, 422)

METHOD: Final = "S256"  # of a challenge

BAD_ANSWER: Final = Fault("unknown", Sentence("the server's answer cannot be read"))
NOT_EXCHANGED: Final = Sentence("a code is good for some minutes and once: open the address again")


@dataclass(frozen=True, slots=True)
class Application:
    """Threadcast as a server knows it. `redirect` is where the code is sent to.

    `verifier` makes a code worth nothing to who reads it on its way; empty where the server does not know
    that: https://www.rfc-editor.org/rfc/rfc7636
    """

    server: str
    redirect: str
    scopes: str
    number: str
    secret: str = field(repr=False)
    verifier: str = field(default="", repr=False)

    def address(self, state: str = "") -> str:
        """Return where the account's owner allows it; `state` comes back with the code."""
        asked = {"client_id": self.number, "redirect_uri": self.redirect, "scope": self.scopes}
        asked |= {"response_type": "code", **({"state": state} if state else {})}
        if self.verifier:
            challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
            asked |= {"code_challenge": challenge, "code_challenge_method": METHOD}
        return f"{self.server}/oauth/authorize?{urlencode(asked)}"


def register(server: str, redirect: str, proxies: Proxies) -> Application:
    """Register an application with the rights that publishing needs, and no others. Raises CallError."""
    narrow, wide = SCOPES
    scopes, answer = narrow, _apply(server, redirect, narrow, proxies)
    if answer.status_code in NO_SCOPES:
        scopes, answer = wide, _apply(server, redirect, wide, proxies)
    _require(answer)
    number, secret = (read_json(answer, name) for name in ("client_id", "client_secret"))
    if not (isinstance(number, str) and isinstance(secret, str)):
        raise CallError(BAD_ANSWER)
    verifier = token_urlsafe(48) if _compares(server, proxies) else ""
    return Application(server, redirect, scopes, number, secret, verifier)


def _compares(server: str, proxies: Proxies) -> bool:
    """Whether the server says that it compares who brings a code with who asked: Mastodon does since 4.3."""
    try:
        answer = _call("GET", server, "/.well-known/oauth-authorization-server", {}, proxies)
    except CallError:
        return False
    methods = read_json(answer, "code_challenge_methods_supported") if answer.ok else None
    return isinstance(methods, list) and METHOD in methods


def _apply(server: str, redirect: str, scopes: str, proxies: Proxies) -> requests.Response:
    told = {"client_name": NAME, "redirect_uris": redirect, "scopes": scopes}
    return _call("POST", server, "/api/v1/apps", told, proxies)


def exchange(application: Application, code: str, proxies: Proxies) -> str:
    """Return the access token for a code, which is used up. Raises CallError."""
    conceal(
        [code, application.secret, application.verifier]
    )  # a server may put into its words what it was sent
    told = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": application.number,
        "client_secret": application.secret,
        "redirect_uri": application.redirect,
        "scope": application.scopes,
        **({"code_verifier": application.verifier} if application.verifier else {}),
    }
    answer = _call("POST", application.server, "/oauth/token", told, proxies)
    if answer.status_code in {400, 401}:  # invalid_grant, invalid_client
        what = Sentence("the server does not take the code (HTTP {status})", status=answer.status_code)
        raise CallError(Fault("refused", what, NOT_EXCHANGED, status=answer.status_code))
    _require(answer)
    token = read_json(answer, "access_token")
    if not isinstance(token, str) or not token:
        raise CallError(BAD_ANSWER)
    return token


def _call(method: str, server: str, path: str, form: dict[str, str], proxies: Proxies) -> requests.Response:
    session = Session(proxies.way_to(server))
    try:
        return session.request(
            method, server + path, data=form, headers={"User-Agent": "threadcast"}, timeout=TIMEOUT
        )
    except requests.RequestException as error:
        raise CallError(of_transport(error, session.proxy)) from None
    finally:
        session.close()


def _require(answer: requests.Response) -> None:
    if not answer.ok:
        raise CallError(of_answer(answer.status_code, read_json(answer, "error")))
