"""Who asks: a program with a token. Everybody else is told nothing, and no body of theirs is read."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from threadcast.bot.people.tokens import Scope, Token, find
from threadcast.bot.requests.requests import Requests
from threadcast.bot.web.api.problems import Kind, ProblemError
from threadcast.bot.web.sessions import Tries
from threadcast.bot.web.sign_in import SignInNeededError, site_of, visitor_of
from threadcast.bot.web.site import Site

BEARER: Final = HTTPBearer(auto_error=False, scheme_name="token", description="threadcast token new NAME")
DESCRIPTION: Final = "/openapi.json"
MOST: Final = 1200  # requests of one token in a minute: more than any of ours need, less than a loop makes


@dataclass(frozen=True, slots=True)
class Caller:
    """A program, and what it can ask for."""

    token: Token
    requests: Requests
    site: Site

    def require(self, scope: Scope, what: str) -> None:
        """Raise ProblemError where the token does not allow it."""
        if not self.token.scope.covers(scope):
            raise ProblemError(
                Kind.SCOPE,
                f"{what} needs the scope {scope}, and the token {self.token.name} has {self.token.scope}",
                f"use a token that may: threadcast token new NAME --scope {scope}",
            )


class Rates:
    """How often each token asks."""

    def __init__(self, site: Site, most: int = MOST) -> None:
        self.most = most
        self._tries = Tries(site.clock, most)

    def count(self, token: Token) -> None:
        """One request more. Raises ProblemError where they are too many."""
        wait = self._tries.wait(token.name)
        if wait:
            seconds = math.ceil(wait.total_seconds())
            raise ProblemError(
                Kind.TOO_MANY,
                f"at most {self.most} requests in a minute are answered for one token",
                headers={"Retry-After": str(seconds)},
            )


async def admit(request: Request, path: str) -> None:
    """Find out who asks, before anything of the request is looked at. Raises ProblemError, StoreError.

    Whoever is signed in to the page may read the description of the API, too: it tells them nothing new.
    """
    site = site_of(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    token = None
    if kind.lower() == "bearer" and secret.strip():
        token = await asyncio.to_thread(find, site.notes, secret.strip(), now=site.clock())
    if token is not None:
        request.app.state.rates.count(token)
        request.state.caller = Caller(token, site.requests_of(token.actor), site)
    elif path != DESCRIPTION or not await asyncio.to_thread(_is_signed_in, request):
        given = "this token is not known, or not any more" if kind else "no token was sent"
        raise ProblemError(Kind.UNKNOWN_CALLER, given)


def _is_signed_in(request: Request) -> bool:
    try:
        visitor_of(request)
    except SignInNeededError:
        return False
    return True


def _with(scope: Scope) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        found = request.state.caller
        assert isinstance(found, Caller)  # noqa: S101  # see `admit`
        found.require(scope, "this")
        return found

    return caller


# What a route asks for; the scheme stands beside it for the description alone.
Reader = Annotated[Caller, Depends(_with(Scope.READ))]
Adder = Annotated[Caller, Depends(_with(Scope.ADD))]
Owner = Annotated[Caller, Depends(_with(Scope.ALL))]
