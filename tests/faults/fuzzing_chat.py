"""What is thrown at the chat: updates as no client makes them, by those who may and by strangers."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.bot.chat.stand import CHANNEL, PEOPLE, Stand, standing
from threadcast.bot.chat.requests import REGISTRY

PATIENCE = 10.0
BROKEN = (
    "a request broke",
    "an update was not dealt with",
    "an answer broke",
    "work for a chat broke",
    "a part of the chat broke, and begins anew",
    "the chat broke, and is off until the service is started again",
    "Telegram refused an answer",
)
STRANGER = PEOPLE["Eve"]

_NUMBERS = st.one_of(st.integers(-5, 10), st.integers(), st.sampled_from([2**31, 2**63, 10**30]))
_WORDS = st.one_of(
    st.text(max_size=12),
    _NUMBERS.map(str),
    st.builds("{}-{}".format, _NUMBERS, _NUMBERS),
    st.builds("#{}".format, _NUMBERS),
    st.sampled_from(
        ["now", "first", "after", "sent", "not-sent", "news", "NEWS", "\u0663", "1-", "-", "<b>"]
    ),
    st.sampled_from(["tomorrow", "9:00", "in", "99999999h", "31", "feb", "https://[", "@", "\0", "\u202e"]),
    st.just("https://t.me/my_channel/1"),
)
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(min_size=4000, max_size=4096),
    st.builds(
        "/{}{} {}".format,
        st.one_of(st.sampled_from(sorted(REGISTRY)), st.text(max_size=10)),
        st.sampled_from(["", "", "@example_bot", "@other_bot", "@"]),
        st.lists(_WORDS, max_size=5).map(" ".join),
    ),
    st.sampled_from(["1/ a\n2/ b /end", "/done", "/add news", "a\0b", "/queue\0"]),
)
_DATA = st.one_of(
    st.text(max_size=64),
    st.builds(
        "{}|{}|{}|{}|{}".format,
        st.one_of(st.sampled_from([*REGISTRY]), _WORDS),
        st.one_of(_WORDS, st.just("1")),
        _WORDS,
        st.one_of(st.just(""), _WORDS),
        st.one_of(st.just(""), _NUMBERS.map(str)),
    ),
)


def _user(person: int) -> dict[str, Any]:
    return {"id": person, "is_bot": False, "first_name": "\u202e<b>x</b>", "username": "x"}


def _chat(person: int) -> dict[str, Any]:
    return {"id": person, "type": "private", "first_name": "x"}


def _message(person: int, number: int, **more: Any) -> dict[str, Any]:
    base = {"message_id": number, "date": 1_772_000_000, "chat": _chat(person), "from": _user(person)}
    return base | more


@st.composite
def _contents(draw: st.DrawFn, person: int) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911  # one each
    """One update by a person: its kind, and what is in it."""
    number = draw(st.integers(1, 2**40))
    kind = draw(
        st.sampled_from(["text", "text", "reply", "document", "press", "press", "edited", "member", "media"])
    )
    match kind:
        case "reply":
            sender = draw(st.sampled_from([123456, person, STRANGER]))
            said = draw(
                st.one_of(
                    _TEXTS,
                    st.builds(
                        "#{}{} · {}".format,
                        _NUMBERS,
                        st.sampled_from(["", " on news", " on "]),
                        st.sampled_from(["When shall it start?", "What is the post's link?", ""]),
                    ),
                )
            )
            question = _message(sender, 1, text=said)
            return "message", _message(person, number, text=draw(_TEXTS), reply_to_message=question)
        case "document":
            document = {
                "file_id": draw(st.one_of(st.just("file-1"), st.text(max_size=20))),
                "file_unique_id": "x",
                "file_name": draw(st.one_of(st.text(max_size=300), st.just("../../etc/passwd\0\n"))),
                "file_size": draw(_NUMBERS),
            }
            return "message", _message(person, number, document=document, caption=draw(_TEXTS))
        case "press":
            where = draw(st.sampled_from([_message(person, number, text="x"), None]))
            query = {"id": str(number), "from": _user(person), "chat_instance": "1", "data": draw(_DATA)}
            return "callback_query", query | ({"message": where} if where else {})
        case "edited":
            return "edited_message", _message(person, number, text=draw(_TEXTS))
        case "member":
            statuses = st.sampled_from(["member", "left", "kicked", "administrator", "odd"])
            change = {
                "chat": {"id": draw(_NUMBERS), "type": "channel", "title": draw(st.text(max_size=40))},
                "from": _user(person),
                "date": 1_772_000_000,
                "old_chat_member": {"user": _user(123456), "status": draw(statuses)},
                "new_chat_member": {"user": _user(123456), "status": draw(statuses)},
            }
            return "my_chat_member", change
        case "media":
            return "message", _message(person, number, sticker={"file_id": "x"})
    return "message", _message(person, number, text=draw(_TEXTS))


UPDATES = st.sampled_from([PEOPLE["Ada"], PEOPLE["Eddie"], STRANGER]).flatmap(
    lambda person: st.tuples(st.just(person), st.lists(_contents(person), min_size=1, max_size=4))
)
Case = tuple[int, list[tuple[str, dict[str, Any]]]]


def _standing(stand: Stand) -> object:
    """All that somebody could change."""
    assert stand.database is not None
    draft = stand.database.notes.read(f"draft:{STRANGER}:{STRANGER}")
    return (
        [(one.id, one.what) for one in stand.database.reading.events(limit=5)],
        draft,
        stand.database.reading.channels(),
    )


def judge(stand: Stand, logs: list[Any], case: Case) -> None:
    """Nothing breaks, all is dealt with, and a stranger changes nothing and is told nothing."""
    person, updates = case
    if person == STRANGER:
        wait_for_rest(stand)
    before = _standing(stand)
    with stand.server.changed:
        for kind, content in updates:
            stand.server.api.updates.put(stand.bot, stand.server.api.updates.number(), kind, content)
        stand.server.changed.notify_all()
    stand.server.wait_for(lambda server: not server.api.updates.waiting[stand.bot.id], 3 * PATIENCE)
    if person == STRANGER:
        assert _standing(stand) == before
        assert not stand.people["Eve"].messages()
    broken = [entry for entry in logs if entry["event"] in BROKEN]
    logs.clear()  # first: what this case broke is none of the next one's
    assert not broken, broken


def wait_for_rest(stand: Stand) -> None:
    """Wait until the chains of those who may have come to their end."""
    assert stand.database is not None
    deadline = time.monotonic() + PATIENCE
    busy = {"publishing", "queued"}
    while any(one.state in busy and one.due <= stand.clock() for one in stand.database.reading.deliveries()):
        if time.monotonic() > deadline or all(row.paused for row in stand.database.reading.channels()):
            return
        with stand.server.changed:
            stand.server.changed.wait(0.05)


@contextmanager
def chat() -> Iterator[Callable[[Case], None]]:
    """The real service, and people around it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        capture_logs() as logs,
        standing(Path(folder), CHANNEL) as stand,
    ):
        stand.server.api.keep(b"1/ One river.\n2/ And its end. /end\n")
        yield lambda case: judge(stand, logs, case)
