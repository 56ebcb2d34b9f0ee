"""Which status is the post that was looked for, and where a chain is not as it was sent. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from threadcast.bot.channels.mastodon.instance import address_of, dig, fit_to_show
from threadcast.bot.channels.mastodon.text import alike, plain
from threadcast.bot.channels.port import NOBODY, Difference, Expected, Readers, Sought
from threadcast.config.logs import redact
from threadcast.queue.outcomes import Blind, Sent
from threadcast.queue.sentences import Sentence

SLACK = timedelta(seconds=5)  # how far apart two clocks may tell one moment, once their distance is known
REACH = timedelta(minutes=15)  # how much older than its first try a post may seem, where a clock was set


@dataclass(frozen=True, slots=True)
class Status:
    """What a server tells of a status. `created` and `edited` are by its clock; `text` is plain.

    `media` has the id of each file, and what is said of it. `readers` counts all replies, those of its own
    chain too. `is_distributed`: as a reply it is counted.
    """

    remote_id: str
    account: str
    parent: str | None
    text: str
    created: datetime | None
    edited: datetime | None
    url: str | None
    is_boost: bool = False
    media: tuple[tuple[str, str], ...] = ()
    readers: Readers = NOBODY
    is_distributed: bool = True

    @property
    def files(self) -> int:
        """How many it shows."""
        return len(self.media)

    @property
    def where(self) -> str:
        """For a person: its address, or at least its id."""
        return self.url or Sentence("status {id}", id=self.remote_id)


def status_of(answer: object) -> Status | None:
    """A status as an answer tells it; None where it is none."""
    remote_id, account = dig(answer, "id"), dig(answer, "account", "id")
    content, parent = dig(answer, "content"), dig(answer, "in_reply_to_id")
    is_id = isinstance(remote_id, str | int) and isinstance(account, str | int)
    if not is_id or not remote_id or not isinstance(content, str) or not fit_to_show(str(remote_id)):
        return None
    shown = dig(answer, "media_attachments")
    return Status(
        remote_id=str(remote_id),
        account=str(account),
        parent=None if parent is None else redact(str(parent)),
        text=plain(content),
        created=_moment(dig(answer, "created_at")),
        edited=_moment(dig(answer, "edited_at")),
        url=address_of(answer),
        is_boost=dig(answer, "reblog") is not None,
        media=tuple(
            (str(dig(one, "id")), str(dig(one, "description") or ""))
            for one in (shown if isinstance(shown, list) else ())
        ),
        readers=Readers(
            *(_count(dig(answer, f"{name}_count")) for name in ("favourites", "reblogs", "replies"))
        ),
        is_distributed=dig(answer, "visibility") in ("public", "unlisted"),
    )


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0


def readers_of(seen: Sequence[Status], remote_ids: Collection[str]) -> dict[str, Readers]:
    """Return what readers did with these posts of a chain, of which so much was seen.

    Mastodon counts the chain itself among the replies, as far as it is public or unlisted.
    """
    own = Counter(one.parent for one in seen if one.remote_id in remote_ids and one.is_distributed)
    return {
        one.remote_id: replace(one.readers, replies=max(0, one.readers.replies - own[one.remote_id]))
        for one in seen
        if one.remote_id in remote_ids
    }


def _moment(value: object) -> datetime | None:
    if not isinstance(value, datetime):  # Mastodon.py has read it already, if it can be read
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: a post of account `me`, first tried at `since` by the server's clock.

    `before` are ids of statuses which were there before the post was tried, and `floor` is when the newest of
    them was created, None where that is not known. Ids are in no order: snac's are a second and a hash.
    """

    sought: Sought
    me: str
    since: datetime
    before: frozenset[str] = frozenset()
    floor: datetime | None = None

    def may_be(self, status: Status) -> bool:
        """Whether a status is the account's own, and not known to be older."""
        if status.account != self.me or status.is_boost or status.remote_id in self.before:
            return False
        return self.floor is None or status.created is None or status.created >= self.floor - SLACK

    def in_place(self, status: Status) -> bool:
        return status.parent == self.sought.parent

    def in_time(self, status: Status) -> bool:
        return status.created is None or status.created >= self.since - SLACK

    def is_it(self, status: Status) -> bool:
        """Whether a status is the post: its words and its number of files, where and when it would be."""
        same = alike(status.text, self.sought.text) and status.files == len(self.sought.media)
        return same and self.in_place(status) and self.in_time(status)

    def out_of_reach(self, status: Status) -> bool:
        """Whether a status is too old to be the post even where a clock was wrong."""
        return status.created is not None and status.created < self.since - REACH

    def is_worth_reading(self, status: Status) -> bool:
        """Whether a status stands where and when the post would, with another text: one changed since?"""
        if alike(status.text, self.sought.text):
            return False
        return self.may_be(status) and self.in_place(status) and self.in_time(status)


def verdict(found: Iterable[Status], search: Search) -> Sent | Blind | None:
    """What the statuses that were found say of the post; None: it is not one of them."""
    fits: list[Status] = []
    doubts: list[str] = []
    for status in {status.remote_id: status for status in found}.values():
        if not search.may_be(status):
            continue
        if search.is_it(status):
            fits.append(status)
        elif doubt := _doubt(status, search):
            doubts.append(Sentence("{doubt}: {where}", doubt=doubt, where=status.where))
    match fits:
        case [status]:
            return Sent(status.remote_id, status.url)
        case []:
            return Blind(doubts[0], seen=True) if doubts else None
    return Blind(
        Sentence("more than one post has this text: {fits}", fits=", ".join(status.where for status in fits)),
        seen=True,
    )


def _doubt(status: Status, search: Search) -> str:
    """Why a status may be the post all the same; empty where it cannot be."""
    in_place, in_time = search.in_place(status), search.in_time(status)
    if not alike(status.text, search.sought.text):
        changed = in_place and in_time and status.edited is not None
        return Sentence("a post where it would be was edited meanwhile") if changed else ""
    if in_place and in_time:
        return Sentence("a post with this text shows other files")
    if in_time:
        return Sentence("a post with this text stands in another place")
    if in_place and (search.before or not search.out_of_reach(status)):
        return Sentence("a post with this text was there before it was sent")
    return ""


def differences(
    chain: Sequence[Expected], seen: Mapping[str, Status], *, names: bool = True
) -> tuple[Difference, ...]:
    """Where a chain is not as it was sent, in its order; `seen` is what was found of it and around it.

    `names`: the server knows each file by one id, and tells what was said of it.
    """
    found: list[Difference] = []
    for expected in chain:
        status = seen.get(expected.remote_id)
        if status is None:
            found.append(
                Difference(
                    "missing",
                    expected.position,
                    Sentence("{remote_id} is not there", remote_id=expected.remote_id),
                )
            )
            continue
        if not alike(status.text, expected.text):
            at = "" if status.edited is None else f" ({status.edited:%Y-%m-%d %H:%M} UTC)"
            found.append(
                Difference(
                    "edited",
                    expected.position,
                    Sentence("its text is another{at}: {where}", at=at, where=status.where),
                )
            )
        elif detail := _otherwise_shown(status, expected, names=names):
            found.append(Difference("edited", expected.position, detail))
        if status.parent != expected.parent:
            found.append(Difference("out-of-order", expected.position, _misplaced(status, expected)))
    return (*found, *_extras(chain, seen))


def _otherwise_shown(status: Status, expected: Expected, *, names: bool) -> str:
    """How the files of a status are others than it was sent with; empty where they are not."""
    if status.files != len(expected.media):
        return Sentence(
            "it shows {files} files instead of {media}: {where}",
            files=status.files,
            media=len(expected.media),
            where=status.where,
        )
    if not names:
        return ""
    if expected.others([one for one, _ in status.media]):
        return Sentence("it shows other files: {where}", where=status.where)
    if [" ".join(description.split()) for _, description in status.media] != expected.descriptions:
        return Sentence("what is said of its files is another: {where}", where=status.where)
    return ""


def unseen(
    chain: Sequence[Expected], seen: Mapping[str, Status], visitors: Sequence[Status] | None
) -> tuple[Difference, ...]:
    """The first post of a chain that is there and that visitors do not see, with how many more they miss.

    `visitors` is what they see below the first; None where that is not known.
    """
    shown = {status.remote_id for status in visitors or ()}
    missed = [one for one in chain[1:] if one.remote_id in seen and one.remote_id not in shown]
    if visitors is None or not missed:
        return ()
    status = seen[missed[0].remote_id]
    said = (
        Sentence(
            "visitors who are not logged in do not see it, nor {n} others: {where}",
            n=len(missed) - 1,
            where=status.where,
        )
        if missed[1:]
        else Sentence("visitors who are not logged in do not see it: {where}", where=status.where)
    )
    return (Difference("unseen", missed[0].position, said),)


def _misplaced(status: Status, expected: Expected) -> str:
    if status.parent is None:
        return Sentence(
            "it stands alone, instead of as a reply to {parent}: {where}",
            parent=expected.parent,
            where=status.where,
        )
    right = Sentence("nothing") if expected.parent is None else expected.parent
    return Sentence(
        "it replies to {parent} instead of {right}: {where}",
        parent=status.parent,
        right=right,
        where=status.where,
    )


def _extras(chain: Sequence[Expected], seen: Mapping[str, Status]) -> list[Difference]:
    """Return the account's own replies to the chain, and to such replies, that are no posts of it."""
    ours = {expected.remote_id for expected in chain}
    me = {seen[one].account for one in ours if one in seen}
    inside, extras = [expected.remote_id for expected in chain], []
    for parent in inside:
        for status in seen.values():
            if status.parent == parent and status.account in me and status.remote_id not in inside:
                inside.append(status.remote_id)
                extras.append(
                    Difference(
                        "extra", None, Sentence("a reply of the account's own: {where}", where=status.where)
                    )
                )
    return extras
