"""Whether an account is reachable and may post, told without posting anything."""

from datetime import datetime
from http import HTTPStatus

from threadcast.bot.channels.mastodon.client import Client
from threadcast.bot.channels.mastodon.errors import Fault, obstacle
from threadcast.bot.channels.mastodon.instance import dig
from threadcast.bot.channels.port import Finding
from threadcast.config.logs import redact
from threadcast.queue.outcomes import Code, Obstacle, Refused
from threadcast.queue.sentences import Sentence

LATER = "try again later"
WRITE = frozenset({"write", "write:statuses"})
READ_ITSELF = frozenset({"read", "read:accounts", "profile"})
READ_POSTS = frozenset({"read", "read:statuses"})
WRITE_MEDIA = frozenset({"write", "write:media"})

CLOSED = Sentence("the server does not let the account be used")
OPEN_IT = Sentence("log in on the server with a browser: it may be suspended, moved, or not confirmed yet")
ADD_WRITE = Sentence(
    "add write:statuses to the application (Preferences, Development), then make a new token"
)
ADD_READ = "add read:accounts and read:statuses, so that a post whose answer was lost can be looked for"
ADD_MEDIA = "add write:media, so that pictures and other files can be posted"


def check(client: Client, target: str) -> tuple[Finding, ...]:
    """What `threadcast check` tells of a server, an account and its token."""
    found, _ = client.instance()
    if isinstance(found, Fault):
        return (Finding("error", f"{target}: {found.what}", found.advice or LATER),)
    links = f"a link counts {found.url_length}" if found.is_mastodon else "a link counts in full"
    about = f"{target} ({found.version}): {found.limit} characters, {links}"
    scopes = _scopes(client)
    return (Finding("ok", about), _check_account(client, scopes), _check_scopes(scopes))


def _check_account(client: Client, scopes: frozenset[str] | Fault | None) -> Finding:
    answer, _ = client.look(client.api.account_verify_credentials)
    if not isinstance(answer, Fault):
        account = redact(f"@{dig(answer, 'acct')}")
        if dig(answer, "suspended") is True:
            return Finding("error", f"{account}: {CLOSED}", OPEN_IT)
        return Finding("ok", f"posts as {account}")
    if answer.status != HTTPStatus.FORBIDDEN:
        return Finding("error", answer.what, answer.advice or LATER)
    if isinstance(scopes, frozenset) and READ_ITSELF & scopes:
        return Finding("error", f"{CLOSED} (HTTP 403)", OPEN_IT)
    return Finding("warning", "the token may not read its own account", ADD_READ)


def _check_scopes(scopes: frozenset[str] | Fault | None) -> Finding:
    if isinstance(scopes, Fault):
        return Finding("warning", f"scopes: {scopes.what}", scopes.advice or LATER)
    if scopes is None:
        return Finding("ok", "scopes: this server does not tell; write:statuses is needed")
    names = " ".join(sorted(scopes)) or "none"
    if not WRITE & scopes:
        return Finding("error", f"scopes: {names}, and no write:statuses", ADD_WRITE)
    wanted = [] if READ_ITSELF & scopes and READ_POSTS & scopes else [ADD_READ]
    wanted += [] if WRITE_MEDIA & scopes else [ADD_MEDIA]
    return Finding("warning" if wanted else "ok", f"scopes: {names}", "; ".join(wanted))


def _scopes(client: Client) -> frozenset[str] | Fault | None:
    """What the token may do; None where the server does not tell."""
    answer, _ = client.look(client.api.app_verify_credentials)
    if isinstance(answer, Fault):
        return None if answer.lacking else answer  # GoToSocial and snac have no such call
    scopes = dig(answer, "scopes")
    return frozenset(map(str, scopes)) if isinstance(scopes, list) else None


def preflight(client: Client, *, now: datetime) -> Obstacle | None:
    """Why the account cannot post now; None where nothing speaks against it.

    A token that may only write cannot ask for its own account, and posts all the same.
    """
    answer, reset = client.look(client.api.account_verify_credentials)
    if isinstance(answer, Fault) and answer.status != HTTPStatus.FORBIDDEN:
        return obstacle(answer, now=now, reset=reset)
    if dig(answer, "suspended") is True:
        return Refused(Sentence("{what}: {advice}", what=CLOSED, advice=OPEN_IT), Code.RIGHTS)
    client.remember(answer)
    scopes = _scopes(client)
    if isinstance(scopes, frozenset) and not WRITE & scopes:
        return Refused(Sentence("the token may not post: {advice}", advice=ADD_WRITE), Code.RIGHTS)
    if isinstance(answer, Fault) and isinstance(scopes, frozenset) and READ_ITSELF & scopes:
        return Refused(Sentence("{what} (HTTP 403): {advice}", what=CLOSED, advice=OPEN_IT), Code.RIGHTS)
    return None
