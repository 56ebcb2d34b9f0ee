"""Tokens of programs: `token`."""

from functools import partial

import click

from threadcast.bot.people import tokens
from threadcast.bot.people.tokens import Scope, Token
from threadcast.bot.shell.context import Session, actor, in_session
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import safe

LIST = "threadcast token list"


@click.command()
@click.argument("what", type=click.Choice(["new", "list", "revoke"]))
@click.argument("name", required=False, metavar="[NAME]")
@click.option(
    "--scope",
    type=click.Choice([one.value for one in Scope]),
    help="What a new one may do: look (read), also add threads (add), or everything (all).  [default: read]",
)
@partial(in_session, begins=True)
def token(session: Session, what: str, name: str | None, scope: str | None) -> None:
    """Let programs use the API.

    A new token is shown once, and stored as a hash. Its NAME stands in the history, as api:NAME. One that is
    revoked is good for nothing from the next request on.

    \b
    Examples:
      threadcast token new ci --scope add
      threadcast token list
      threadcast token revoke ci
    """
    if (what == "list") == (name is not None):
        raise click.UsageError("list takes no name; new and revoke take one")
    if scope is not None and what != "new":
        raise click.UsageError("--scope is for a new token; to change one, revoke it and make it anew")
    if name is None:
        _list(session)
    elif what == "new":
        _new(session, name, Scope(scope or Scope.READ))
    else:
        _revoke(session, name)


def _new(session: Session, name: str, scope: Scope) -> None:
    if not tokens.NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is no name: up to 32 of a-z, 0-9 and - between them")
    notes = session.database.notes
    if any(one.name == name for one in tokens.every(notes)):
        raise FaultError(
            f"there is a token {name} already; take another name, or first: threadcast token revoke {name}",
            Exit.NOT_ALLOWED,
        )
    secret = tokens.make(notes, name, scope, by=actor(), now=session.clock())
    if session.as_json:
        session.screen.json({"name": name, "scope": scope, "token": secret})
        return
    session.screen.say(secret, whole=True)
    session.screen.say(f"It is shown this once. {_may(scope)} Send it as: Authorization: Bearer TOKEN")
    web = session.settings.web
    at = "no API is served: THREADCAST_WEB__LISTEN is off" if web.listen is None else f"{web.address}/api/v1"
    session.screen.say(f"The API: {safe(at)}", whole=True)


def _may(scope: Scope) -> str:
    return {
        Scope.READ: "Who has it may look.",
        Scope.ADD: "Who has it may look, and add threads.",
        Scope.ALL: "Who has it may do all that you may.",
    }[scope]


def _list(session: Session) -> None:
    found = tokens.every(session.database.notes)
    if session.as_json:
        session.screen.json({"tokens": found})
    elif found:
        session.screen.table(("name", "scope", "used", "since", "by"), [_row(session, one) for one in found])
    else:
        session.screen.say("There is no token. Make one: threadcast token new NAME")


def _row(session: Session, one: Token) -> tuple[str, ...]:
    when = session.screen.when
    return one.name, one.scope, when(one.used) if one.used else "never", when(one.since), safe(one.by)


def _revoke(session: Session, name: str) -> None:
    if not tokens.revoke(session.database.notes, name, by=actor(), now=session.clock()):
        raise FaultError(f"there is no token {name!r}; see: {LIST}", Exit.NOT_FOUND)
    if session.as_json:
        session.screen.json({"revoked": name})
    else:
        session.screen.say(f"The token {name} is good for nothing any more.")
