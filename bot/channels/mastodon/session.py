"""The way to a server: a new connection for each request; and the calls not made through Mastodon.py."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from threadcast.bot.channels.mastodon.errors import CallError, Fault, of_answer, of_transport
from threadcast.bot.channels.mastodon.instance import dig
from threadcast.config.proxies import Proxy


class Session(requests.Session):
    """Makes each request on a connection of its own and follows no redirect; notes an answer's headers.

    A kept connection may have died unseen. That would show only after a post was written into it, when
    nobody can tell any more whether it arrived; a new one fails while it is made.
    """

    def __init__(self, proxy: Proxy | None = None) -> None:
        super().__init__()
        self.max_redirects = 0  # a POST would go on as a GET, and return somebody's status
        # What requests reads in the environment by itself wins over what it is told, and over the token.
        self.trust_env = False
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self.proxy = "" if proxy is None else proxy.shown
        if proxy is not None:
            self.proxies = {"http": proxy.address, "https": proxy.address}
        self.headers["Connection"] = "close"
        self.answered: Mapping[str, str] = {}
        self.deleted = False  # by the request that was answered
        self.hooks["response"].append(self._note)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        # Mastodon.py asks for `/api/v2/instance/`; GoToSocial redirects what ends with a slash.
        request.url = str(request.url).rstrip("/")
        return super().prepare_request(request)

    def _note(self, response: requests.Response, **_: object) -> None:
        self.answered = response.headers
        self.deleted = response.request.method == "DELETE"


class Calls:
    """Calls of an account that are not made through Mastodon.py. They block, and raise CallError."""

    def __init__(self, session: Session, target: str, token: str, *, timeout: float) -> None:
        self._session = session
        self._target = target
        self._timeout = timeout
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "threadcast"}

    def ask(self, method: str, path: str, **how: Any) -> requests.Response:
        """Make one, and return its answer, whatever that says."""
        try:
            how = {"timeout": self._timeout, **how}
            return self._session.request(method, self._target + path, headers=self._headers, **how)
        except requests.RequestException as error:
            raise CallError(of_transport(error, self._session.proxy)) from None
        finally:
            self._session.close()

    def edit(self, remote_id: str, fields: Mapping[str, object]) -> object:
        """Replace all that a status says and shows, once; return what the server answers.

        Mastodon.py's `status_update` knows no language, and fails with `media_attributes`.
        """
        answer = self.ask("PUT", f"/api/v1/statuses/{quote(remote_id, safe='')}", json=fields)
        if not answer.ok:
            raise CallError(of_answer(answer.status_code, read_json(answer, "error")))
        return read_json(answer)


def read_json(answer: requests.Response, *keys: str) -> object:
    """Return what is in an answer, or at these keys of it; None where there is nothing to read."""
    try:
        return dig(answer.json(), *keys)
    except (ValueError, RecursionError):
        return None


def software_of(session: Session, target: str, *, timeout: float) -> str | Fault:
    """Return what nodeinfo calls the server's software; empty where it has none, a Fault where it is away.

    Without Mastodon.py, which would take the token to whatever address nodeinfo names.
    https://nodeinfo.diaspora.software/protocol
    """
    links = fetch(session, f"{target}/.well-known/nodeinfo", timeout)
    if isinstance(links, Fault):
        return links
    found = dig(links, "links")
    addresses = [dig(link, "href") for link in found] if isinstance(found, list) else []
    paths = [urlsplit(address).path for address in addresses if isinstance(address, str)]
    answer = fetch(session, target + paths[-1], timeout) if paths else None
    if isinstance(answer, Fault):
        return answer
    name = dig(answer, "software", "name")
    return name.strip().lower() if isinstance(name, str) else ""


def fetch(session: Session, address: str, timeout: float) -> object:
    """Return a public JSON document; None where there is none, a Fault where the server is away."""
    try:
        answer = session.get(address, timeout=timeout)
        return answer.json() if answer.ok else None
    except (ValueError, RecursionError, requests.TooManyRedirects):
        return None
    except requests.RequestException as error:
        return of_transport(error, session.proxy)
    finally:
        session.close()
