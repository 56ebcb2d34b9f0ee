"""Looking for a post whose fate is unknown, and along a chain that is out: which calls, in which order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from threadcast.bot.channels.mastodon.client import Client, in_path
from threadcast.bot.channels.mastodon.errors import CallError, ask_again, obstacle
from threadcast.bot.channels.mastodon.instance import dig
from threadcast.bot.channels.mastodon.matching import Search, Status, differences, unseen, verdict
from threadcast.bot.channels.mastodon.text import alike, plain
from threadcast.bot.channels.port import Comparison, Expected, Named, Sought
from threadcast.bot.plain import quoted
from threadcast.queue.outcomes import Absent, Blind, Look, Sent, TakeDown, Throttled, Unreached
from threadcast.queue.sentences import Sentence

_ID = re.compile(r"[\w-]{1,100}", re.ASCII)  # numbers, ULIDs and UUIDs
MOST_PAGES = 25  # a thousand statuses since the post was tried
PAGES_MORE = 5  # so far beyond its time the landmark is looked for
MOST_READ = 10  # statuses whose source is asked for


def look_up(client: Client, sought: Sought, *, now: datetime) -> Look:
    """Look for a post: under its parent, then among all that the account has posted since it was tried."""
    try:
        return _look_up(client, sought)
    except CallError as error:
        return not_seen(error, now=now)


def _look_up(client: Client, sought: Sought) -> Look:
    me = client.me()
    if sought.parent is not None:
        replies = client.descendants(sought.parent)
        if replies is not None:
            search = _search(client, me, sought, replies, also=sought.parent)
            found = verdict(_as_written(client, replies, search), search)
            if found is not None:
                return found
    own, is_all = _own(client, me, sought)
    search = _search(client, me, sought, own)
    found = verdict(_as_written(client, own, search), search)
    if found is not None:
        return found
    return (
        Absent()
        if is_all
        else Blind(Sentence("the account has too many newer posts to look at ({own})", own=len(own)))
    )


def _search(
    client: Client, me: str, sought: Sought, found: Iterable[Status], *, also: str | None = None
) -> Search:
    """Return the search, with those of the parent and the landmark that are there: they were before.

    The others may be gone, or an id that a person gave in another form. `also` is known to be there.
    """
    names = {sought.parent, sought.landmark.remote_id if sought.landmark else None}
    known = [status for status in found if status.remote_id in names]
    before = {status.remote_id for status in known} | ({also} if also else set())
    floor = max((status.created for status in known if status.created), default=None)
    return Search(sought, me, sought.since + client.ahead, frozenset(before), floor)


def _own(client: Client, me: str, sought: Sought) -> tuple[list[Status], bool]:
    """What the account has posted since the post was tried, and whether that is all of it.

    Goes back to the parent or the landmark, which were there before; where they do not come, to a time
    before the first try, and for the landmark some pages more: a clock may have been set meanwhile.
    """
    found: dict[str, Status] = {}
    beyond, before, is_back = 0, None, False
    for _ in range(MOST_PAGES):
        page = client.page(me, before=before)
        if not page:
            return list(found.values()), True
        if page[-1].remote_id in found:  # the server does not page
            break
        found.update((status.remote_id, status) for status in page)
        before = page[-1].remote_id
        search, oldest = _search(client, me, sought, found.values()), page[-1]
        if search.out_of_reach(oldest):
            beyond += 1
        # Those of one second are in no order: the post may stand behind what was there before it.
        passed = search.floor is None or oldest.created is None or oldest.created < search.floor
        if search.before and (passed or is_back):
            return list(found.values()), True
        if beyond and (sought.landmark is None or beyond > PAGES_MORE):
            return list(found.values()), True
        is_back = bool(search.before)
    return list(found.values()), False


def _as_written(client: Client, found: Iterable[Status], search: Search) -> list[Status]:
    """The statuses, with those that may have been changed as they were before.

    By an owner who saw the post and mended it, or by a server that shows it in its own way.
    """
    written: list[Status] = []
    read = 0
    for status in found:
        if search.is_worth_reading(status) and read < MOST_READ:
            read += 1
            written.append(_first_version(client, status) if status.edited else _source(client, status))
        else:
            written.append(status)
    return written


def _first_version(client: Client, status: Status) -> Status:
    """Return a status as it was before it was edited, where the server shows that."""
    versions = client.read_if_known(partial(client.api.status_history, in_path(status.remote_id)))
    html = dig(versions[0], "content") if isinstance(versions, list) and versions else None
    return replace(status, text=plain(html), edited=None) if isinstance(html, str) else status


def _source(client: Client, status: Status) -> Status:
    """Return a status as it was typed, where the server shows that."""
    text = dig(client.read_if_known(partial(client.api.status_source, in_path(status.remote_id))), "text")
    return replace(status, text=text) if isinstance(text, str) else status


def find(client: Client, address: str, texts: Sequence[str], *, server: str, now: datetime) -> Named:
    """Return the status that a person means by its id or its link, and whether it has one of these texts."""
    remote_id = _id_in(address.strip(), server)
    if remote_id is None:
        return Named(None, Sentence("it is no id and no link of a post on {server}", server=server))
    try:
        status = client.status(remote_id)
        if status is None:
            return Named(
                None, Sentence("there is no post {remote_id} on {server}", remote_id=remote_id, server=server)
            )
        if status.account != client.me():
            return Named(None, Sentence("it is another account's"))
        if not any(alike(status.text, text) for text in texts):
            status = _source(client, status)
    except CallError as error:
        return Named(
            Sent(remote_id, None),
            Sentence("it cannot be looked at now: {reason}", reason=not_seen(error, now=now).reason),
        )
    sent = Sent(status.remote_id, status.url)
    fits = any(alike(status.text, text) for text in texts)
    return Named(sent, "" if fits else Sentence("it says {text}", text=quoted(status.text)))


def _id_in(address: str, server: str) -> str | None:
    """The last step of a link's path is the id, whatever the server calls the steps before it."""
    remote_id = address
    if "/" in address:
        link = urlsplit(address if "://" in address else f"https://{address}")
        if link.netloc.lower() != urlsplit(server).netloc.lower():
            return None
        remote_id = link.path.rstrip("/").rsplit("/", 1)[-1]
    return remote_id if _ID.fullmatch(remote_id) and any(map(str.isdigit, remote_id)) else None


def not_seen(error: CallError, *, now: datetime) -> Throttled | Unreached | Blind:
    """What a call that failed says of what was looked for: what was refused is for a person to mend."""
    return ask_again(error.fault, now=now, reset=error.reset) or Blind(error.fault.reason)


def take_down(client: Client, remote_id: str, *, now: datetime) -> TakeDown:
    try:
        client.delete(remote_id)
    except CallError as error:
        return obstacle(error.fault, now=now, reset=error.reset)
    return Absent()


def audit(client: Client, chain: Sequence[Expected], *, names: bool, now: datetime) -> Comparison:
    """Where a published chain is not as it was sent; `names`: a file has one id on the server, for good.

    A whole chain takes three calls, one of them as a visitor who is not logged in. Where a post is gone, what
    followed hangs on nothing: each such piece takes two more.
    """
    try:
        seen = _walk(client, chain)
        found = differences(chain, seen, names=names)
        # Below a post that is gone nothing is seen, by anybody.
        is_whole = chain and not any(one.kind in {"missing", "out-of-order"} for one in found)
        visitors = client.descendants(chain[0].remote_id, as_visitor=True) if is_whole else None
        return *found, *unseen(chain, seen, visitors)
    except CallError as error:
        return not_seen(error, now=now)


def _walk(client: Client, chain: Sequence[Expected]) -> dict[str, Status]:
    seen: dict[str, Status] = {}
    for expected in chain:
        if expected.remote_id not in seen:
            status = client.status(expected.remote_id)
            if status is None:
                continue
            seen[expected.remote_id] = status
            below = client.descendants(expected.remote_id) or []
            seen.update((one.remote_id, one) for one in below)
        status = seen[expected.remote_id]
        if not alike(status.text, expected.text):
            seen[expected.remote_id] = _source(client, status)
    return seen
