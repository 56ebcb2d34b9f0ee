"""The API as an application of its own within the page's: bearer tokens alone, problems alone, no cookie."""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from importlib import resources
from typing import Any, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from threadcast.bot.media.errors import MediaError
from threadcast.bot.requests.errors import InputError, RequestError
from threadcast.bot.web.api import acts, lists, problems, threads
from threadcast.bot.web.api.bodies import FORM, LARGEST, LARGEST_FORM
from threadcast.bot.web.api.caller import BEARER, DESCRIPTION, Rates, admit
from threadcast.bot.web.site import Site
from threadcast.config.schedule.words import WhenError
from threadcast.queue.errors import QueueError

AT: Final = "/api/v1"
# How the addresses end where a form may come.
TAKE_FILES: Final = ("/threads", "/preview", "/text", "/parts", "/adopt", "/media")
REFUSED: Final = (QueueError, RequestError, InputError, WhenError, MediaError, problems.ProblemError)
PROBLEMS: Final = sorted({kind.status for kind in problems.Kind} - {HTTPStatus.INTERNAL_SERVER_ERROR})

Next = Callable[[Request], Awaitable[Response]]


def make_api(site: Site) -> FastAPI:
    """Return the API of a site, to be mounted at `AT`."""
    api = FastAPI(
        title="Threadcast",
        version="1",
        summary="Threads in the queue: added, looked at, steered.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # FastAPI would make it on the loop, and keep posts waiting for it
        dependencies=[Depends(BEARER)],
        generate_unique_id_function=lambda route: route.name,
        responses={
            status.value: {"model": problems.Problem, "description": status.phrase} for status in PROBLEMS
        },
    )
    api.state.site = site
    api.state.rates = Rates(site)
    for routes in (threads.router, threads.drafts, acts.router, lists.router):
        api.include_router(routes)
    api.middleware("http")(_guard)
    for kind in REFUSED:
        api.add_exception_handler(kind, problems.refused)
    api.add_exception_handler(RequestValidationError, problems.misread)
    api.add_exception_handler(HTTPException, problems.lost)
    api.add_exception_handler(Exception, problems.broke)
    api.add_api_route(DESCRIPTION, _describe, include_in_schema=False)
    return api


def _describe(request: Request) -> Response:
    return JSONResponse(description(request.app))


async def _guard(request: Request, answer: Next) -> Response:
    """Nothing of a request is read before it is known who asks, and how much it is."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    try:
        await admit(request, path)
        _measure(request, path)
    except (problems.ProblemError, QueueError) as error:
        return problems.refused(request, error)
    return await answer(request)


def _measure(request: Request, path: str) -> None:
    length = request.headers.get("content-length", "0")
    is_form = request.headers.get("content-type", "").lower().startswith(FORM) and path.endswith(TAKE_FILES)
    most = LARGEST_FORM if is_form else LARGEST
    if not length.isdecimal() or int(length) > most or "transfer-encoding" in request.headers:
        raise problems.ProblemError(problems.Kind.TOO_LARGE, f"at most {most:,} bytes are taken here")


def examples() -> Mapping[str, Any]:
    """Return an example of each operation: by its id the body that is sent, and what is answered."""
    text = resources.files(__package__).joinpath("examples.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def description(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description, with an example of each operation; made at the first call."""
    if api.openapi_schema is not None:
        return api.openapi_schema
    made = get_openapi(title=api.title, version=api.version, summary=api.summary, routes=api.routes)
    given = examples()
    for path in made["paths"].values():
        for operation in path.values():
            _complete(operation, given.get(operation["operationId"], {}))
    made["servers"] = [{"url": AT}]
    api.openapi_schema = made
    return made


def _complete(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Put an operation's example in, and say of problems what format they have."""
    if "requestBody" in operation and "body" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["body"]
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {problems.MEDIA_TYPE: content.pop("application/json")}
        elif "answer" in example:
            for given in content.values():
                given["example"] = example["answer"]
