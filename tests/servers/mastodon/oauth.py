"""How an application comes by a token: registered, allowed by an account's owner, its code exchanged.

As Mastodon has it (https://docs.joinmastodon.org/methods/oauth/): a code is good once, for ten minutes, for
the application and the address that it was given for; nobody gets more than was registered.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

from tests.servers.http import Request, Response
from tests.servers.mastodon.manners import Manners
from tests.servers.mastodon.statuses import Account, ApiError

OOB = "urn:ietf:wg:oauth:2.0:oob"
CODE_LASTS = timedelta(minutes=10)
WIDE = frozenset({"read", "write", "follow", "push", "profile"})
PARTS = ("accounts", "media", "notifications", "statuses")
NARROW = frozenset(f"{kind}:{what}" for kind in ("read", "write") for what in PARTS)
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class App:
    """An application as it was registered."""

    secret: str
    redirects: tuple[str, ...]
    scopes: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """What a code is good for."""

    client: str
    redirect: str
    scopes: frozenset[str]
    until: datetime
    challenge: str


class OAuth:
    """Applications by their ids, codes that were not used yet; `signed_in` is the account in the browser."""

    def __init__(self, manners: Manners, clock: Callable[[], datetime]) -> None:
        self.signed_in: Account | None = None
        self.apps: dict[str, App] = {}
        self.compared = 0  # codes whose bringer was compared with who asked
        self._manners = manners
        self._clock = clock
        self._codes: dict[str, Grant] = {}
        self._numbers = count(1)

    def answer(self, request: Request, path: str, accounts: MutableMapping[str, Account]) -> Response | None:
        """Answer what is asked of these endpoints; None where it is another one."""
        match request.method, path:
            case "POST", "/api/v1/apps":
                return self._register(_last(request.form))
            case "GET", "/oauth/authorize":
                self._asked(_last(request.query))
                return Response(200, b"<!doctype html><form method=post>Authorize</form>", HTML)
            case (("POST" | "DELETE"), "/oauth/authorize"):
                return self._decide(_last(request.form), allowed=request.method == "POST")
            case "GET", ("/oauth/authorize/native" | "/.well-known/oauth-authorization-server"):
                return self._tell(path, _last(request.query))
            case "POST", "/oauth/token":
                return self._exchange(_last(request.form), accounts)
            case _:
                return None

    def _tell(self, path: str, asked: Mapping[str, str]) -> Response | None:
        if path == "/oauth/authorize/native":
            return Response(200, f"<code>{asked['code']}</code>".encode(), HTML)
        methods = {"code_challenge_methods_supported": ["S256"]}
        return Response(200, methods) if self._manners.challenges else None

    def _register(self, form: Mapping[str, str]) -> Response:
        known = WIDE | NARROW if self._manners.narrow_scopes else WIDE
        scopes = frozenset(form.get("scopes", "read").split())
        redirects = tuple(form.get("redirect_uris", "").split())
        if not form.get("client_name") or not redirects or not scopes <= known:
            raise ApiError(self._manners.invalid, "Validation failed: an application needs names, and scopes")
        if not all(one == OOB or urlsplit(one).scheme in {"http", "https"} for one in redirects):
            raise ApiError(self._manners.invalid, "Validation failed: Redirect URI must be an absolute URI.")
        number = next(self._numbers)
        client, app = f"client-{number}", App(f"secret-of-client-{number}", redirects, scopes)
        self.apps[client] = app
        return Response(
            200,
            {
                "id": str(number),
                "name": form["client_name"],
                "client_id": client,
                "client_secret": app.secret,
                "redirect_uri": "\n".join(redirects),
                "scopes": sorted(scopes),
            },
        )

    def _asked(self, asked: Mapping[str, str]) -> Grant:
        """Return what an application asks for; one that is not known gets a page, and no redirect."""
        app = self.apps.get(asked.get("client_id", ""))
        if app is None:
            raise ApiError(401, "Client authentication failed due to unknown client")
        if asked.get("redirect_uri") not in app.redirects:
            raise ApiError(400, "The requested redirect uri doesn't match client redirect URI.")
        scopes = frozenset(asked.get("scope", "read").split())
        if asked.get("response_type") != "code" or not scopes <= app.scopes:
            raise ApiError(400, "The requested scope is invalid, unknown, or malformed.")
        challenge = asked.get("code_challenge", "")
        if challenge and (asked.get("code_challenge_method"), self._manners.challenges) != ("S256", True):
            raise ApiError(400, "The code challenge method must be S256.")
        until = self._clock() + CODE_LASTS
        return Grant(asked["client_id"], asked["redirect_uri"], scopes, until, challenge)

    def _decide(self, asked: Mapping[str, str], *, allowed: bool) -> Response:
        grant = self._asked(asked)
        code = f"code-{next(self._numbers)}-of-an-account"
        told = {"code": code} if allowed else {"error": "access_denied"}
        if allowed:
            self._codes[code] = grant
        if "state" in asked:
            told["state"] = asked["state"]
        place = "/oauth/authorize/native" if grant.redirect == OOB else grant.redirect
        return Response(302, b"", {"Location": f"{place}?{urlencode(told)}"})

    def _exchange(self, form: Mapping[str, str], accounts: MutableMapping[str, Account]) -> Response:
        client = form.get("client_id", "")
        app = self.apps.get(client)
        if app is None or app.secret != form.get("client_secret"):
            return Response(401, {"error": "invalid_client"})
        grant = self._codes.pop(form.get("code", ""), None)
        fits = grant is not None and grant.client == client and grant.redirect == form.get("redirect_uri")
        if grant is not None and grant.challenge:
            digest = sha256(form.get("code_verifier", "").encode()).digest()
            fits = fits and grant.challenge == urlsafe_b64encode(digest).decode().rstrip("=")
            self.compared += 1
        if grant is None or not fits or self._clock() > grant.until or self.signed_in is None:
            return Response(400, {"error": "invalid_grant"})
        token = f"token-{next(self._numbers)}-of-an-account"
        self.signed_in.scopes = grant.scopes
        accounts[token] = self.signed_in
        scope = " ".join(sorted(grant.scopes))
        return Response(200, {"access_token": token, "token_type": "Bearer", "scope": scope})


def _last(fields: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items()}


def browse(address: str, *, allow: bool = True) -> requests.Response:
    """Open an address in a browser in which somebody is signed in, press a button, and go where it leads."""
    return requests.get(decide(address, allow=allow), timeout=10)


def decide(address: str, *, allow: bool = True) -> str:
    """Do the same, and return the address to which the browser is sent, which cannot be reached."""
    requests.get(address, timeout=10).raise_for_status()
    page, _, query = address.partition("?")
    method = "POST" if allow else "DELETE"
    decided = requests.request(method, page, data=parse_qsl(query), timeout=10, allow_redirects=False)
    return urljoin(address, decided.headers["Location"])
