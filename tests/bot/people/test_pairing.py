"""A link lets in who opens it first, once and for ten minutes, and nobody who reads the queue."""

from datetime import UTC, datetime, timedelta

from tests.queue.store.fresh import fresh_notes
from threadcast.bot.people.pairing import LASTS, PAGE, address, drawn, look, offer, take
from threadcast.bot.people.people import People, Role, admit, note, revoke
from threadcast.config.telegram import TelegramSettings

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def test_once() -> None:
    """Of two who open a link, the first is let in, and learns whose link it was; looking uses nothing up."""
    notes = fresh_notes()
    code = offer(notes, Role.EDITOR, by="shell:ada lovelace", now=NOW)
    assert look(notes, code, now=NOW) is Role.EDITOR
    assert take(notes, code, now=NOW) == (Role.EDITOR, "shell:ada lovelace")
    assert look(notes, code, now=NOW) is None
    assert take(notes, code, now=NOW) is None


def test_ten_minutes() -> None:
    """A link is good until its time is over, and forgotten when the next one is made."""
    notes = fresh_notes()
    old = offer(notes, Role.OWNER, by="service", now=NOW)
    assert look(notes, old, now=NOW + LASTS - timedelta(seconds=1)) is Role.OWNER
    assert take(notes, old, now=NOW + LASTS) is None
    offer(notes, Role.OWNER, by="service", now=NOW + LASTS)
    assert len(notes.read(PAGE)) == 1


def test_what_is_stored_opens_nothing() -> None:
    """What stands in the queue neither is the code nor opens the link."""
    notes = fresh_notes()
    code = offer(notes, Role.OWNER, by="service", now=NOW)
    (stored,) = notes.read(PAGE).values()
    assert code not in stored
    assert [take(notes, word, now=NOW) for word in (*stored.split(), "", code[:-1], f"{code}x")] == [None] * 7
    assert take(notes, code, now=NOW) is not None


def test_a_link_fits() -> None:
    """A code is one that Telegram takes behind ?start=, and its QR code fits a terminal of 80 by 24."""
    code = offer(fresh_notes(), Role.OWNER, by="service", now=NOW)
    assert len(code) <= 64
    assert code.replace("-", "").replace("_", "").isalnum()
    rows = drawn(address("example_bot", code)).splitlines()
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 80


def test_the_environment_stays() -> None:
    """Those of the environment cannot be removed; a link gives more, and what it gave is taken away."""
    notes = fresh_notes()
    people = People(TelegramSettings(admins="1", editors="2,1"))
    admit(notes, 2, Role.OWNER, by="service", now=NOW)
    admit(notes, 3, Role.EDITOR, by="telegram:1", now=NOW)
    assert people.read(notes).roles == {1: Role.OWNER, 2: Role.OWNER, 3: Role.EDITOR}
    assert people.owners == (1, 2)
    assert [revoke(notes, one, by="telegram:1", now=NOW) for one in (1, 2, 3)] == [False, True, True]
    assert people.read(notes).roles == {1: Role.OWNER, 2: Role.EDITOR}


def test_names_are_shown_and_drive_nothing() -> None:
    """A name has no line break, no character that reorders text, and an end; an unknown actor is itself."""
    notes = fresh_notes()
    people = People(TelegramSettings())
    note(notes, 7, "Ada\n\u202eecalevoL " + "x" * 100, None, now=NOW)
    people.read(notes)
    assert people.name("telegram:7").startswith("Ada �ecalevoL x")
    assert len(people.name("telegram:7")) == 64
    assert people.is_known(7, "Ada\n\u202eecalevoL " + "x" * 100, None)
    assert [people.name(one) for one in ("telegram:8", "shell:ada", "telegram:x")] == [
        "telegram:8",
        "shell:ada",
        "telegram:x",
    ]


def test_a_language_is_that_of_who_writes() -> None:
    """Each is spoken to as they wrote last; whom we do not know in English; all alike where it is set so."""
    notes = fresh_notes()
    note(notes, 7, "Ada", "de-AT", now=NOW)
    note(notes, 7, "Ada", None, now=NOW)
    people, set_so = (People(TelegramSettings(), language).read(notes) for language in ("", "uk"))
    assert [people.speaks(7), people.speaks(7, "fr"), people.speaks(8), people.speaks(8, "tlh")] == [
        *("de", "fr", "en", "en")
    ]
    assert [set_so.speaks(7), set_so.speaks(7, "fr"), set_so.speaks(8)] == ["uk"] * 3
    assert people.is_known(7, "Ada", "de")
    assert not people.is_known(7, "Ada", "fr")
