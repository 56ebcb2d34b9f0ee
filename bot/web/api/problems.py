"""Why a request was not met, as RFC 9457 has it; which status an error has is said here alone."""

from collections.abc import Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.requests.errors import InputError, NotNowError, UnknownChannelError
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import get_logger, redact
from threadcast.config.schedule.words import WhenError
from threadcast.queue.errors import NotFoundError, StoreError

log = get_logger("threadcast.api")

MEDIA_TYPE: Final = "application/problem+json"
_LOOK: Final = "GET /api/v1/threads lists the threads, GET /api/v1/channels the channels"
_READ: Final = "see docs/reference/api.md, or GET /api/v1/openapi.json"


class Kind(Enum):
    """A kind of problem: its status, its title, and what to do next."""

    UNKNOWN_CALLER = (
        HTTPStatus.UNAUTHORIZED,
        "No token that is good",
        "send it as Authorization: Bearer TOKEN; make one with: threadcast token new NAME",
    )
    SCOPE = (
        HTTPStatus.FORBIDDEN,
        "The token may not do that",
        "use a token with a wider scope: threadcast token new NAME --scope add, or --scope all",
    )
    NOT_FOUND = (HTTPStatus.NOT_FOUND, "There is no such thing", _LOOK)
    METHOD = (HTTPStatus.METHOD_NOT_ALLOWED, "That cannot be done there", _READ)
    NOT_ALLOWED = (
        HTTPStatus.CONFLICT,
        "How things stand does not allow it",
        "GET /api/v1/threads/ID says how the thread stands",
    )
    TOO_LARGE = (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large, or does not say how large it is",
        "send less, with a Content-Length",
    )
    FORMAT = (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is in a format that is not read here",
        "send application/json, or multipart/form-data where files come along",
    )
    UNUSABLE = (HTTPStatus.UNPROCESSABLE_ENTITY, "What was sent cannot be used", _READ)
    OTHER_BODY = (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The Idempotency-Key was used for something else",
        "use a new key for each new request, and the same one to ask again for the same",
    )
    TOO_MANY = (
        HTTPStatus.TOO_MANY_REQUESTS,
        "The token asks too often",
        "ask again after the seconds of Retry-After",
    )
    UNAVAILABLE = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The queue cannot be used now",
        "ask again later; on the machine, threadcast check says more",
    )
    BROKEN = (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something broke here",
        "nothing is known to be wrong with the request; the log says where it broke: threadcast logs",
    )

    def __init__(self, status: HTTPStatus, title: str, following: str) -> None:
        self.status = status
        self.title = title
        self.next = following

    @property
    def type(self) -> str:
        """Return what programs know it by."""
        return f"urn:problem-type:threadcast:{self.name.lower().replace('_', '-')}"


class Problem(BaseModel):
    """A problem (RFC 9457). `type` is for programs, `detail` says what is wrong, `next` what to do."""

    type: str = Field(examples=[Kind.NOT_FOUND.type])
    title: str = Field(examples=[Kind.NOT_FOUND.title])
    status: int = Field(examples=[Kind.NOT_FOUND.status.value])
    detail: str = Field(examples=["there is no thread 7; see: threadcast queue"])
    next: str = Field(examples=[Kind.NOT_FOUND.next])


class ProblemError(Exception):
    """A request that is not met, for a reason of the API's own."""

    def __init__(
        self, kind: Kind, detail: str, following: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.next = following or kind.next
        self.headers = headers


def kind_of(error: Exception) -> Kind:
    """Return the kind of an error of the requests: what page and API say of it."""
    match error:
        case NotNowError() | AwayError():
            return Kind.UNAVAILABLE
        case NotFoundError() | UnknownChannelError() | MediaError():
            return Kind.NOT_FOUND
        case StoreError():
            return Kind.UNAVAILABLE
        case InputError() | WhenError():
            return Kind.UNUSABLE
    return Kind.NOT_ALLOWED


def answer(
    kind: Kind, detail: str, following: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem."""
    said = Problem(
        type=kind.type, title=kind.title, status=kind.status, detail=detail, next=following or kind.next
    )
    more = {"WWW-Authenticate": "Bearer"} if kind is Kind.UNKNOWN_CALLER else {}
    return JSONResponse(said.model_dump(), kind.status, {**more, **(headers or {})}, media_type=MEDIA_TYPE)


def refused(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  # as every handler
    """Answer an error of the requests, or of the API."""
    if isinstance(error, ProblemError):
        return answer(error.kind, error.detail, error.next, error.headers)
    return answer(kind_of(error), redact(sentence(error, SHELL)))


def misread(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    """Answer what does not fit: which field, and what was expected; never what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as it is registered
    return answer(Kind.UNUSABLE, faults(error.errors()))


def faults(found: Sequence[Any]) -> str:
    """Return which fields cannot be used, and what was expected of each."""
    return "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in found)


def _place(where: object) -> str:
    steps = where if isinstance(where, tuple) else ()
    return ".".join(str(step) for step in steps) or "body"


def lost(request: Request, error: Exception) -> JSONResponse:
    """Answer an address where nothing is, or a method that is not for it."""
    assert isinstance(error, HTTPException)  # noqa: S101  # as it is registered
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return answer(Kind.METHOD, f"{request.method} is not for this address", headers=error.headers)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return nowhere()
    return answer(Kind.UNUSABLE, "the body cannot be read")


def nowhere() -> JSONResponse:
    """Answer an address where nothing is."""
    return answer(Kind.NOT_FOUND, "nothing is at this address")


def broke(request: Request, error: Exception) -> JSONResponse:
    """Answer what nobody foresaw, and log it."""
    log.error("a request to the API broke", path=request.url.path, exc_info=error)
    return answer(Kind.BROKEN, "this is a fault of ours")
