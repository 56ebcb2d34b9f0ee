"""A strict Mastodon API server on loopback.

Where other stand-ins are lax, this one does as Mastodon does: https://docs.joinmastodon.org/api/.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.servers.http import Answer, LoopbackServer, Request, Response
from tests.servers.mastodon.budgets import Budget, Budgets, Left
from tests.servers.mastodon.manners import MASTODON, Manners
from tests.servers.mastodon.media import Attachments
from tests.servers.mastodon.oauth import OAuth
from tests.servers.mastodon.script import HTML, Script
from tests.servers.mastodon.statuses import Account, ApiError, Status, Statuses, account_json, status_json
from tests.servers.mastodon.text import to_html

TOKEN = "AAExampleExampleExampleExampleExample-token"
NODEINFO = "http://nodeinfo.diaspora.software/ns/schema/2.0"
LONGEST_PAGE = 40
PAGE = 20


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Call:
    """One request of an account, as a route gets it."""

    account: Account
    request: Request
    about: str  # the id in the path, if there is one
    now: datetime


class MastodonServer(Script, LoopbackServer):
    """Accounts by token, statuses by id; answers that tests script to go wrong.

    `locale` is `en` or `de`; `budgets` None: those of the manners. `throttled` counts the calls that were
    answered with 429 because a budget was used up. Guarded by `changed`: the methods for tests take the lock.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        manners: Manners = MASTODON,
        limit: int = 500,
        locale: str = "en",
        budgets: Mapping[str, Budget] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(port)
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.to_visitors: Answer | None = None
        self.closing = manners.closing
        self.throttled = 0
        self._statuses = Statuses(manners=manners, limit=limit, locale=locale, clock=clock)
        self._manners = manners
        self.oauth = OAuth(manners, clock)
        self.attachments = Attachments()
        self._budgets = Budgets(manners.budgets if budgets is None else budgets)

    # --- what tests set up and look at -------------------------------------------------------

    def add_account(
        self, token: str = TOKEN, username: str = "keeper", scopes: Iterable[str] = ("read", "write")
    ) -> Account:
        with self.changed:
            account = Account(str(1001 + len(self.accounts)), username, frozenset(scopes))
            self.accounts[token] = account
            return account

    def revoke(self, token: str = TOKEN) -> None:
        with self.changed:
            del self.accounts[token]

    def statuses(self, account: Account | None = None) -> list[Status]:
        """What is there, or what an account wrote, oldest first."""
        with self.changed:
            everything = self._statuses.all.values()
            return [status for status in everything if account in {None, status.account}]

    def visible_from(self, status_id: str) -> list[str]:
        """The texts that somebody sees below a status who is not logged in."""
        with self.changed:
            return [one.text for one in self._statuses.seen_by_visitors(self._statuses.all[status_id])]

    def write(self, account: Account, text: str, parent: str | None = None) -> Status:
        """Somebody writes a status by hand."""
        with self.changed:
            return self._statuses.post(account, {"status": text, "in_reply_to_id": parent or ""}, None)

    def react(self, status_id: str, *, favourites: int = 0, boosts: int = 0) -> None:
        """Some readers favour and boost a status."""
        with self.changed:
            status = self._statuses.all[status_id]
            status.favourites += favourites
            status.boosts += boosts

    def rewrite(self, status_id: str, text: str) -> None:
        """Somebody edits a status."""
        with self.changed:
            self._statuses.edit(self._statuses.all[status_id], {"status": text})

    def delete(self, status_id: str) -> None:
        """Somebody deletes a status; its replies stay and lose their parent."""
        with self.changed:
            self._statuses.delete(status_id)

    # --- requests ----------------------------------------------------------------------------

    def handle(self, request: Request) -> Answer:
        now = self.clock()
        scripted = self.scripted(request)
        if scripted is not None:
            return scripted
        date = {"Date": format_datetime(now.replace(microsecond=0), usegmt=True)}
        try:
            answer = self._answer(request, now)
        except ApiError as error:
            answer = self._refusal(error)
        if not isinstance(answer, Response):
            return answer
        return Response(answer.status, answer.content, {**date, **answer.headers})

    def _refusal(self, error: ApiError) -> Response:
        if self._manners.html_errors and error.status in {404, 410}:
            return Response(error.status, f"<h1>{error.status} {error.words}</h1>".encode(), HTML)
        return Response(error.status, {"error": error.words})

    def _answer(self, request: Request, now: datetime) -> Answer:
        path = request.path
        if path.endswith("/") and path != "/":
            path = path.rstrip("/")
            if self._manners.redirects_slashes:
                return Response(301 if request.method == "GET" else 307, b"", {"Location": path})
        if request.method == "GET" and (public := self._public(path)) is not None:
            return public
        if (opened := self.oauth.answer(request, path, self.accounts)) is not None:
            return opened
        context = re.fullmatch(r"/api/v1/statuses/([^/]+)/context", path)
        if context and "authorization" not in request.headers:
            return self._visited(context[1])
        for method, pattern, scopes, route in ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                account = self._authenticate(request, scopes)
                call = Call(account, request, found.groupdict().get("id", ""), now)
                return self._within_budget(call, route)
        raise ApiError(404, "Not found")

    def _public(self, path: str) -> Response | None:
        """Return what needs no token."""
        if path == "/api/v2/instance":
            if self._manners.instance_v2 != 200:
                raise ApiError(self._manners.instance_v2, "Not found")
            return Response(200, self._describe())
        if path == "/api/v1/instance":
            return Response(200, {**self._describe(), "uri": f"127.0.0.1:{self.port}"})
        if path == "/.well-known/nodeinfo":
            return Response(200, {"links": [{"rel": NODEINFO, "href": f"{self.url}/nodeinfo/2.0"}]})
        if path == "/nodeinfo/2.0":
            software = {"name": self._manners.software, "version": self._manners.version}
            return Response(200, {"version": "2.0", "software": software, "protocols": ["activitypub"]})
        page = re.fullmatch(r"/@[^/]+/([^/]+)", path)
        status = self._statuses.all.get(page[1]) if page else None
        if status is None or status.visibility not in {"public", "unlisted"}:
            return None
        chain = [*self._statuses.ancestors(status), status, *self._statuses.descendants(status)]
        body = "".join(f'<article id="{s.id}">{to_html(s.text)}</article>' for s in chain)
        return Response(200, f"<!doctype html><meta charset=utf-8>{body}".encode(), HTML)

    def _visited(self, status_id: str) -> Answer:
        """Return a conversation for somebody who is not logged in, or what a test wants them to get."""
        if self.to_visitors is not None:
            return self.to_visitors
        status = self._statuses.all.get(status_id)
        if status is None or status.visibility not in {"public", "unlisted"}:
            raise ApiError(404, "Record not found")
        below = [self._json(one) for one in self._statuses.seen_by_visitors(status)]
        return Response(200, {"ancestors": [], "descendants": below})

    def _describe(self) -> dict[str, Any]:
        statuses = {
            "max_characters": self._statuses.limit,
            "max_media_attachments": 4,
            "characters_reserved_per_url": self._manners.url_length or 25,
        }
        return {
            "domain": f"127.0.0.1:{self.port}",
            "title": "A server for tests",
            "version": self._manners.version,
            "source_url": self._manners.source,
            "configuration": {"statuses": statuses, "media_attachments": self.attachments.limits},
        }

    def _authenticate(self, request: Request, scopes: tuple[str, ...]) -> Account:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self.accounts.get(token)
        if account is None:
            raise ApiError(401, "The access token is invalid")
        if scopes and not any(map(account.may, scopes)):
            raise ApiError(403, "This action is outside the authorized scopes")
        return account

    def _within_budget(self, call: Call, route: "Route") -> Answer:
        """Count the call against the limits that it touches; 429 where one of them is used up."""
        whose = call.account.id
        wanted = [("token", whose), ("account", whose)]
        if call.request.method == "DELETE":
            wanted.append(("deletes", whose))
        if call.request.method == "GET" and {"since_id", "min_id", "max_id"} & set(call.request.query):
            wanted.append(("pages", whose))
        fits = [self._budgets.take(name, who, call.now) for name, who in wanted]
        if call.request.path.startswith("/api/v2/media"):
            wanted.append(("media", whose))
            fits.append(self._budgets.take("media", whose, call.now))
        elif call.request.method in {"POST", "PUT"}:
            # Counted when it is stored: a refused status, or a replayed key, costs nothing.
            wanted.append(("statuses", whose))
            fits.append(self._budgets.has_room("statuses", whose, call.now))
        wanted = [(name, who) for name, who in wanted if name in self._budgets]
        if not all(fits):
            self.throttled += 1
            return Response(429, {"error": "Too many requests"}, self._headers(wanted, call.now))
        try:
            answer = route(self, call)
        except ApiError as error:
            answer = self._refusal(error)
        if not isinstance(answer, Response):
            return answer
        headers = {**self._headers(wanted, call.now), **answer.headers}
        return Response(answer.status, answer.content, headers)

    def _headers(self, wanted: Sequence[tuple[str, str]], now: datetime) -> Mapping[str, str]:
        return self.limits(self._budgets.nearest(wanted, now)) if wanted else {}

    def limits(self, left: Left) -> dict[str, str]:
        if self._manners.resets == "none":
            return {}
        reset = left.reset
        epoch = self._manners.resets == "epoch"
        return {
            "X-RateLimit-Limit": str(left.limit),
            "X-RateLimit-Remaining": str(left.remaining),
            "X-RateLimit-Reset": str(int(reset.timestamp())) if epoch else f"{reset:%Y-%m-%dT%H:%M:%S.%fZ}",
        }

    # --- routes ------------------------------------------------------------------------------

    def create(self, call: Call) -> Answer:
        fault = self.next_fault()
        if fault.instead is not None:
            return fault.instead
        response = Response(200, self._json(self._create(call)))
        return response if fault.spoil is None else fault.spoil(response)

    def _create(self, call: Call) -> Status:
        given, key = _given(call.request), call.request.headers.get("idempotency-key")
        # In this order: a replay whose parent is gone by now is a 404, although it landed.
        if given.get("in_reply_to_id"):
            try:
                self._statuses.find(given["in_reply_to_id"], call.account)
            except ApiError:
                if not self._manners.lenient_parents:
                    raise
                given["in_reply_to_id"] = ""
        known = self._statuses.replay(call.account, key)
        if known is not None:
            if self._manners.replay_fails:
                raise ApiError(500, "undefined method `id' for nil")
            return known
        files = self.attachments.to_attach(call.account, call.request.form.get("media_ids[]", []))
        status = self._statuses.post(call.account, given, key, files)
        self._budgets.take("statuses", call.account.id, call.now)
        return status

    def edit(self, call: Call) -> Answer:
        fault = self.next_fault()
        if fault.instead is not None:
            return fault.instead
        status = self._statuses.own(call.about, call.account)
        given, ids = _given(call.request), call.request.form.get("media_ids[]", [])
        if call.request.content_type == "application/json":  # as descriptions are sent
            sent = call.request.json
            given = {name: str(value) for name, value in sent.items() if isinstance(value, str | bool)}
            ids = sent.get("media_ids", [])
        files = self.attachments.to_attach(call.account, ids, status.id)
        self._statuses.edit(status, given, files)
        if call.request.content_type == "application/json":
            self.attachments.describe(files, call.request.json.get("media_attributes", []))
        self._budgets.take("statuses", call.account.id, call.now)
        response = Response(200, self._json(status))
        return response if fault.spoil is None else fault.spoil(response)

    def remove(self, call: Call) -> Response:
        status = self._statuses.own(call.about, call.account)
        answer = {**self._json(status), "text": status.text}
        self._statuses.delete(status.id)
        return Response(200, answer)

    def show(self, call: Call) -> Response:
        return Response(200, self._json(self._statuses.find(call.about, call.account)))

    def context(self, call: Call) -> Response:
        status = self._statuses.find(call.about, call.account)
        found = {
            "ancestors": [self._json(s) for s in self._statuses.ancestors(status)],
            "descendants": [self._json(s) for s in self._statuses.descendants(status)],
        }
        return Response(200, found)

    def source(self, call: Call) -> Response:
        status = self._statuses.own(call.about, call.account)
        return Response(200, {"id": status.id, "text": status.text, "spoiler_text": status.spoiler})

    def history(self, call: Call) -> Response:
        status = self._statuses.find(call.about, call.account)
        versions = [*status.versions, status.text]
        return Response(200, [{"content": to_html(text), "spoiler_text": ""} for text in versions])

    def timeline(self, call: Call) -> Response:
        """An account's statuses, newest first; nobody boosts here, so `exclude_reblogs` changes nothing."""
        owner = next((a for a in self.accounts.values() if a.id == call.about), None)
        if owner is None:
            raise ApiError(404, "Record not found")
        query = {name: values[-1] for name, values in call.request.query.items()}
        hidden = set() if owner is call.account else {"private", "direct"}
        found = [s for s in self._statuses.all.values() if s.account is owner and s.visibility not in hidden]
        rank = self._statuses.rank
        for bound in {"since_id", "min_id"} & set(query):
            found = [s for s in found if rank(s.id) > rank(query[bound])]
        if "max_id" in query:
            found = [s for s in found if rank(s.id) < rank(query["max_id"])]
        if query.get("exclude_replies", "0").lower() in {"1", "true"}:
            found = [s for s in found if s.parent is None]
        limit = min(int(query.get("limit", PAGE)), LONGEST_PAGE)
        found = found[:limit] if "min_id" in query else found[-limit:]
        return Response(200, [self._json(status) for status in reversed(found)])

    def me(self, call: Call) -> Response:
        return Response(200, account_json(call.account, self.url))

    def application(self, call: Call) -> Response:
        if self._manners.app_credentials != 200:
            raise ApiError(self._manners.app_credentials, "Not Found")
        return Response(200, {"name": "Threadcast", "website": None, "scopes": sorted(call.account.scopes)})

    def _json(self, status: Status) -> dict[str, Any]:
        parent = None if status.parent is None else self._statuses.all[status.parent]
        return status_json(status, parent, self.url)


def upload(server: MastodonServer, call: Call) -> Answer:
    return server.attachments.upload(call)


def show_upload(server: MastodonServer, call: Call) -> Answer:
    return server.attachments.show(call)


Route = Callable[[MastodonServer, Call], Answer]

# method, path, scopes of which one is needed, what is done
ROUTES: list[tuple[str, str, tuple[str, ...], Route]] = [
    ("POST", "/api/v1/statuses", ("write:statuses",), MastodonServer.create),
    ("POST", "/api/v2/media", ("write:media",), upload),
    ("GET", "/api/v1/media/(?P<id>[^/]+)", ("write:media",), show_upload),
    ("GET", "/api/v1/statuses/(?P<id>[^/]+)", ("read:statuses",), MastodonServer.show),
    ("PUT", "/api/v1/statuses/(?P<id>[^/]+)", ("write:statuses",), MastodonServer.edit),
    ("DELETE", "/api/v1/statuses/(?P<id>[^/]+)", ("write:statuses",), MastodonServer.remove),
    ("GET", "/api/v1/statuses/(?P<id>[^/]+)/context", ("read:statuses",), MastodonServer.context),
    ("GET", "/api/v1/statuses/(?P<id>[^/]+)/source", ("read:statuses",), MastodonServer.source),
    ("GET", "/api/v1/statuses/(?P<id>[^/]+)/history", ("read:statuses",), MastodonServer.history),
    ("GET", "/api/v1/accounts/verify_credentials", ("read:accounts", "profile"), MastodonServer.me),
    ("GET", "/api/v1/accounts/(?P<id>[^/]+)/statuses", ("read:statuses",), MastodonServer.timeline),
    ("GET", "/api/v1/apps/verify_credentials", (), MastodonServer.application),
]


def _given(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    return {name: values[-1] for name, values in request.form.items()}
