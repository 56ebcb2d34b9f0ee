"""A token lets one program do what its scope says, and nobody who reads the queue."""

from datetime import UTC, datetime, timedelta

from tests.queue.store.fresh import fresh_notes
from threadcast.bot.people.tokens import PREFIX, TOKENS, USED, Scope, every, find, make, revoke

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def test_scopes() -> None:
    """Each scope allows what those before it do, and no more."""
    allowed = {one: {other for other in Scope if one.covers(other)} for one in Scope}
    assert allowed == {
        Scope.READ: {Scope.READ},
        Scope.ADD: {Scope.READ, Scope.ADD},
        Scope.ALL: {Scope.READ, Scope.ADD, Scope.ALL},
    }


def test_what_is_stored() -> None:
    """The secret is long, differs each time, and is nowhere in the queue."""
    notes = fresh_notes()
    first, second = (make(notes, name, Scope.READ, by="shell:ada", now=NOW) for name in ("ci", "feed"))
    assert first != second
    assert len(first.removeprefix(PREFIX)) >= 43
    kept = " ".join([*notes.read(TOKENS).values(), *notes.read(USED).values()])
    assert first.removeprefix(PREFIX) not in kept
    assert second.removeprefix(PREFIX) not in kept


def test_found() -> None:
    """A token is known by its secret alone, whole; when it was used last is noted once a minute."""
    notes = fresh_notes()
    secret = make(notes, "ci", Scope.ADD, by="shell:ada", now=NOW)
    for wrong in ("", PREFIX, secret[:-1], secret + "x", "ci", secret.upper()):
        assert find(notes, wrong, now=NOW) is None
    assert every(notes)[0].used is None
    for later in (0, 30, 90):
        token = find(notes, secret, now=NOW + timedelta(seconds=later))
        assert token is not None
        assert (token.name, token.scope, token.by, token.actor) == ("ci", Scope.ADD, "shell:ada", "api:ci")
    assert every(notes)[0].used == NOW + timedelta(seconds=90)


def test_revoked() -> None:
    """A revoked token is good for nothing; one that is made anew has another secret, and was never used."""
    notes = fresh_notes()
    secret = make(notes, "ci", Scope.ALL, by="shell:ada", now=NOW)
    find(notes, secret, now=NOW)
    assert revoke(notes, "ci", by="shell:ada", now=NOW)
    assert find(notes, secret, now=NOW) is None
    assert not revoke(notes, "ci", by="shell:ada", now=NOW)
    again = make(notes, "ci", Scope.READ, by="shell:ada", now=NOW)
    assert find(notes, secret, now=NOW) is None
    assert every(notes)[0].used is None
    assert find(notes, again, now=NOW) is not None
