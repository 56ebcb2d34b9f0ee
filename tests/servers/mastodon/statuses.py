"""Accounts and statuses, and what a server does with them: https://docs.joinmastodon.org/methods/statuses/."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any

from tests.servers.mastodon.manners import Manners
from tests.servers.mastodon.text import countable_length, to_html

KEY_LIFETIME = timedelta(seconds=3600)
VISIBILITIES = ("public", "unlisted", "private", "direct")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]+)?")
VISITORS_DEPTH, VISITORS_LIMIT = 20, 60
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# Servers answer in the account's language: whoever reads these words is wrong.
WORDS = {
    "en": ("Validation failed: ", "Text can't be blank", "Text character limit of {} exceeded"),
    "de": ("Prüfung fehlgeschlagen: ", "Text darf nicht leer sein", "Text ist länger als {} Zeichen"),
}


class ApiError(Exception):
    """The server's refusal."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


@dataclass(eq=False)
class Account:
    """Who posts. `scopes` are those of its one token."""

    id: str
    username: str
    scopes: frozenset[str]
    keys: dict[str, tuple[str, datetime]] = field(default_factory=dict)  # key -> status, first use

    def may(self, scope: str) -> bool:
        """Whether the token has the scope, or the wider one that it is part of."""
        return bool({scope, scope.partition(":")[0]} & self.scopes)


@dataclass(eq=False)
class Status:
    """One status; `text` is what was written, stripped."""

    id: str
    account: Account
    text: str
    spoiler: str
    visibility: str
    language: str
    parent: str | None
    created: datetime
    key: str | None = None
    edited: datetime | None = None
    versions: list[str] = field(default_factory=list)  # earlier texts, oldest first
    sensitive: bool = False
    quotes: str | None = None  # who may quote it
    files: tuple[Any, ...] = ()
    html: str | None = None  # where a server shows a text in its own way
    favourites: int = 0
    boosts: int = 0
    replies: int = 0

    @property
    def is_distributed(self) -> bool:
        """Whether its parent counts it among its replies, whoever wrote it.

        https://github.com/mastodon/mastodon/blob/main/app/models/status.rb
        """
        return self.visibility in {"public", "unlisted"}


class Statuses:
    """Everything that a server holds."""

    def __init__(self, *, manners: Manners, limit: int, locale: str, clock: Callable[[], datetime]) -> None:
        self.manners = manners
        self.limit = limit
        self.locale = locale
        self.clock = clock
        self.all: dict[str, Status] = {}
        self.deleted: set[str] = set()
        self._last = 0

    def new_id(self) -> str:
        """Return a string that grows (a snowflake, or a ULID), or the second and a hash, as snac does."""
        milliseconds = int(self.clock().timestamp() * 1000)
        ulid = self.manners.ids == "ulid"
        self._last = max(self._last + 1, milliseconds << (80 if ulid else 16))
        if self.manners.ids == "hash":
            return f"{milliseconds // 1000}{md5(str(self._last).encode(), usedforsecurity=False).hexdigest()}"
        if ulid:
            return "".join(CROCKFORD[self._last >> shift & 31] for shift in range(125, -1, -5))
        return str(self._last)

    def find(self, status_id: str | None, viewer: Account) -> Status:
        """Return a status that the viewer may see. Raises ApiError."""
        if status_id in self.deleted:
            raise ApiError(self.manners.gone, "Record not found")
        status = self.all.get(status_id or "")
        if status is None or (status.account is not viewer and status.visibility in {"private", "direct"}):
            raise ApiError(404, "Record not found")
        return status

    def rank(self, status_id: str) -> tuple[int, str]:
        """Return where an id stands among others by time; unknown ones of snac's kind are before all."""
        if self.manners.ids != "hash":
            return len(status_id), status_id
        return (list(self.all).index(status_id) if status_id in self.all else -1), ""

    def own(self, status_id: str, account: Account) -> Status:
        status = self.find(status_id, account)
        if status.account is not account:
            raise ApiError(404, "Record not found")
        return status

    def replay(self, account: Account, key: str | None) -> Status | None:
        """The status that a key stands for, within an hour of its first use. The payload is not compared."""
        if key is None or key not in account.keys or not self.manners.keeps_keys:
            return None
        status_id, used = account.keys[key]
        if self.clock() - used >= KEY_LIFETIME:
            del account.keys[key]
            return None
        return self.find(status_id, account)

    def post(
        self, account: Account, given: Mapping[str, str], key: str | None, files: Sequence[Any] = ()
    ) -> Status:
        """Store a new status. The parent is looked up, the key and the files, before this."""
        text, spoiler = self._checked(given, files)
        visibility = given.get("visibility") or self.manners.visibility
        if visibility not in VISIBILITIES:
            raise ApiError(self.manners.invalid, f"'{visibility}' is not a valid visibility")
        quotes = given.get("quote_approval_policy")
        if quotes not in {None, "public", "followers", "nobody"}:
            raise ApiError(self.manners.invalid, f"'{quotes}' is not a valid quote policy")
        language = given.get("language") or ""
        status = Status(
            id=self.new_id(),
            account=account,
            text=text,
            spoiler=spoiler,
            visibility=visibility,
            language=language if LANGUAGE.fullmatch(language) else "en",
            parent=given.get("in_reply_to_id") or None,
            created=self.clock(),
            key=key,
            sensitive=bool(spoiler) or given.get("sensitive", "").lower() in {"true", "1"},
            quotes=quotes,
            files=tuple(files),
        )
        for file in files:
            file.status = status.id
        self.all[status.id] = status
        if status.parent in self.all:
            self.all[status.parent].replies += status.is_distributed
        if key is not None:
            account.keys[key] = (status.id, status.created)
        return status

    def edit(self, status: Status, given: Mapping[str, str], files: Sequence[Any] = ()) -> None:
        """Replace everything that can be: what is not given again is gone. Parent and visibility stay."""
        text, spoiler = self._checked(given, files)
        status.versions.append(status.text)
        status.text, status.spoiler, status.files = text, spoiler, tuple(files)
        for file in files:
            file.status = status.id
        status.sensitive = bool(spoiler) or given.get("sensitive", "").lower() in {"true", "1"}
        status.language = given.get("language") or status.language
        status.quotes = given.get("quote_approval_policy") or status.quotes
        status.edited = self.clock()

    def delete(self, status_id: str) -> Status:
        """Children stay, and lose their parent."""
        status = self.all.pop(status_id)
        self.deleted.add(status_id)
        if status.parent in self.all:
            self.all[status.parent].replies -= status.is_distributed
        for child in self.all.values():
            if child.parent == status_id:
                child.parent = None
        return status

    def ancestors(self, status: Status) -> list[Status]:
        found: list[Status] = []
        while status.parent is not None:
            status = self.all[status.parent]
            found.insert(0, status)
        return found

    def descendants(self, status: Status) -> list[Status]:
        """In the order of reading: each reply is followed by its own replies."""
        children: dict[str, list[Status]] = defaultdict(list)
        for reply in self.all.values():
            if reply.parent is not None:
                children[reply.parent].insert(0, reply)
        found: list[Status] = []
        waiting = children[status.id]
        while waiting:
            found.append(waiting.pop())
            waiting += children[found[-1].id]
        return found

    def seen_by_visitors(self, status: Status) -> list[Status]:
        """The descendants that somebody sees who is not logged in: 20 replies deep, 60 in all.

        https://github.com/mastodon/mastodon/blob/main/app/controllers/api/v1/statuses_controller.rb
        """
        depths = {status.id: 0}
        found: list[Status] = []
        for one in self.descendants(status):
            depth = depths.get(one.parent or "")
            if depth is not None and depth < VISITORS_DEPTH and one.visibility in {"public", "unlisted"}:
                depths[one.id] = depth + 1
                found.append(one)
        return found[:VISITORS_LIMIT]

    def _checked(self, given: Mapping[str, str], files: Sequence[Any] = ()) -> tuple[str, str]:
        failed, blank, too_long = WORDS[self.locale]
        for unheard_of in {"poll[options][]", "scheduled_at"} & set(given):
            raise ApiError(self.manners.invalid, f"{failed}{unheard_of}")
        text, spoiler = given.get("status", "").strip(), given.get("spoiler_text", "").strip()
        if not text and not files:
            raise ApiError(self.manners.invalid, f"{failed}{blank}")
        if self._length(text, spoiler) > self.limit:
            raise ApiError(self.manners.invalid, failed + too_long.format(self.limit))
        return text, spoiler

    def _length(self, text: str, spoiler: str) -> int:
        if self.manners.url_length is None:
            return len(text) + len(spoiler)
        return countable_length(text, spoiler=spoiler, url_length=self.manners.url_length)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def account_json(account: Account, url: str) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "acct": account.username,
        "display_name": account.username.title(),
        "url": f"{url}/@{account.username}",
        "locked": False,
        "bot": True,
    }


def status_json(status: Status, parent: Status | None, url: str) -> dict[str, Any]:
    address = f"{url}/@{status.account.username}/{status.id}"
    return {
        "id": status.id,
        "uri": address,
        "url": address,
        "created_at": stamp(status.created),
        "edited_at": stamp(status.edited) if status.edited else None,
        "account": account_json(status.account, url),
        "content": to_html(status.text) if status.html is None else status.html,
        "visibility": status.visibility,
        "sensitive": status.sensitive,
        "spoiler_text": status.spoiler,
        "language": status.language,
        "in_reply_to_id": status.parent,
        "in_reply_to_account_id": parent.account.id if parent else None,
        "reblog": None,
        "poll": None,
        "card": None,
        "media_attachments": [file.to_json() for file in status.files],
        "mentions": [],
        "tags": [],
        "emojis": [],
        "reblogs_count": status.boosts,
        "favourites_count": status.favourites,
        "replies_count": status.replies,
    }
