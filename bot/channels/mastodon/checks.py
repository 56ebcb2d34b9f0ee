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

LATER = Sentence("try again later")
WRITE = frozenset({"write", "write:statuses"})
READ_ITSELF = frozenset({"read", "read:accounts", "profile"})
READ_POSTS = frozenset({"read", "read:statuses"})
WRITE_MEDIA = frozenset({"write", "write:media"})

CLOSED = Sentence("the server does not let the account be used")
OPEN_IT = Sentence("log in on the server with a browser: it may be suspended, moved, or not confirmed yet")
ADD_WRITE = Sentence(
    "add write:statuses to the application (Preferences, Development), then make a new token"
)
ADD_READ = Sentence(
    "add read:accounts and read:statuses, so that a post whose answer was lost can be looked for"
)
ADD_MEDIA = Sentence("add write:media, so that pictures and other files can be posted")


def check(client: Client, target: str) -> tuple[Finding, ...]:
    """What `threadcast check` tells of a server, an account and its token."""
    found, _ = client.instance()
    if isinstance(found, Fault):
        return (Finding("error", _about(target, found.what), found.advice or LATER),)
    links = (
        Sentence("a link counts {number}", number=found.url_length)
        if found.is_mastodon
        else Sentence("a link counts in full")
    )
    about = Sentence(
        "{target} ({version}): {limit} characters, {links}",
        target=target,
        version=found.version,
        limit=found.limit,
        links=links,
    )
    scopes = _scopes(client)
    return (Finding("ok", about), _check_account(client, scopes), _check_scopes(scopes))


def _check_account(client: Client, scopes: frozenset[str] | Fault | None) -> Finding:
    answer, _ = client.look(client.api.account_verify_credentials)
    if not isinstance(answer, Fault):
        account = redact(f"@{dig(answer, 'acct')}")
        if dig(answer, "suspended") is True:
            return Finding("error", _about(account, CLOSED), OPEN_IT)
        return Finding("ok", Sentence("posts as {account}", account=account))
    if answer.status != HTTPStatus.FORBIDDEN:
        return Finding("error", answer.what, answer.advice or LATER)
    if isinstance(scopes, frozenset) and READ_ITSELF & scopes:
        return Finding("error", Sentence("{what} (HTTP {code})", what=CLOSED, code=403), OPEN_IT)
    return Finding("warning", Sentence("the token may not read its own account"), ADD_READ)


def _about(name: str, what: str) -> Sentence:
    return Sentence("{name}: {what}", name=name, what=what)


def _check_scopes(scopes: frozenset[str] | Fault | None) -> Finding:
    if isinstance(scopes, Fault):
        return Finding("warning", Sentence("scopes: {names}", names=scopes.what), scopes.advice or LATER)
    if scopes is None:
        return Finding("ok", Sentence("scopes: this server does not tell; write:statuses is needed"))
    names = " ".join(sorted(scopes)) or Sentence("none")
    if not WRITE & scopes:
        return Finding("error", Sentence("scopes: {names}, and no write:statuses", names=names), ADD_WRITE)
    wanted = [] if READ_ITSELF & scopes and READ_POSTS & scopes else [ADD_READ]
    wanted += [] if WRITE_MEDIA & scopes else [ADD_MEDIA]
    advice = Sentence("{one}; {other}", one=wanted[0], other=wanted[1]) if wanted[1:] else "".join(wanted)
    return Finding("warning" if wanted else "ok", Sentence("scopes: {names}", names=names), str(advice))


def _scopes(client: Client) -> frozenset[str] | Fault | None:
    """What the token may do; None where the server does not tell."""
    answer, _ = client.look(client.api.app_verify_credentials)
    if isinstance(answer, Fault):
        return None if answer.lacking else answer  # GoToSocial and snac have no such call
    scopes = dig(answer, "scopes")
    return frozenset(redact(str(one)) for one in scopes) if isinstance(scopes, list) else None


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
