"""People are called by their names, and what they did is said in whole sentences."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.queue.store.fresh import fresh_notes
from threadcast.bot.chat.views.message import visible
from threadcast.bot.chat.views.people import DONE, SAID, Names, happened, last_deed, named
from threadcast.bot.people.people import People, note
from threadcast.bot.requests.queries import adder
from threadcast.config.telegram import TelegramSettings
from threadcast.queue.model import AuditEvent
from threadcast.queue.states import Event

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BY_ADA = AuditEvent(1, NOW, "telegram:1111", "release", 1, 1, "news", "")


@pytest.fixture
def people() -> People:
    notes = fresh_notes()
    note(notes, 1111, "<b>Ada</b>", "en", now=NOW)
    return People(TelegramSettings()).read(notes)


def test_every_actor_is_called_something(people: People) -> None:
    """A person by their name, who types in a shell by theirs, and the service; others as they are."""
    actors = (
        "telegram:1111",
        "telegram:2222",
        "shell:root",
        "service",
        "vm:7902",
        "telegram:odd",
        "share:shell:root",
    )
    assert [named(people, one) for one in actors] == [
        "<b>Ada</b>",
        "telegram:2222",
        "root, in a shell",
        "this service",
        "the service",
        "telegram:odd",
        "somebody with a link of root, in a shell",
    ]


@pytest.mark.parametrize("what", DONE)
def test_what_another_one_did(people: People, what: str) -> None:
    """Whatever somebody did last is said to others by name, in text that is no markup, and not to them."""
    called = lambda actor: named(people, actor)  # noqa: E731
    event = replace(BY_ADA, what=what)
    said = last_deed([event], Names("telegram:2222", called))
    assert visible(said).startswith("<b>Ada</b> ")
    assert last_deed([event], Names("telegram:1111", called)) == ""


def test_what_is_no_deed() -> None:
    """What a worker did is told of nobody; a hold, which the state says, hides what was done before it."""
    worker = replace(BY_ADA, actor="vm:7902", what="stop")
    assert last_deed([BY_ADA, worker], Names()) == "<b>telegram:1111</b> let it go."
    assert last_deed([BY_ADA, replace(BY_ADA, what="hold")], Names()) == ""
    assert last_deed([], Names()) == ""
    assert adder([BY_ADA]) == ""


def test_the_audit_log_in_sentences(people: People) -> None:
    """Whatever is in the audit log has its sentence, with names; what is not known is said as it is."""
    assert set(Event) - {Event.GO_ON} <= set(SAID)
    names = Names(called=lambda actor: named(people, actor))
    events = (
        replace(BY_ADA, what="revoke", detail="telegram:1111"),
        replace(BY_ADA, what="add"),
        replace(BY_ADA, what="<odd>"),
    )
    assert [visible(happened(one, names, one.detail)) for one in events] == [
        "<b>Ada</b> took the rights of <b>Ada</b> away.",
        "<b>Ada</b> added it",
        "<odd>",
    ]
