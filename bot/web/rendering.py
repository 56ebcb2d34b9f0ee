"""How an answer is made of a template: a whole page, or the block of it that a page asks for anew.

Its sentences stand in a template as in the code: see `threadcast.bot.languages.templates`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial, wraps
from http import HTTPStatus
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from threadcast.bot.channels import local
from threadcast.bot.languages import direction, language, preferred, translated
from threadcast.bot.languages.templates import CALLS
from threadcast.bot.noticed import noticed
from threadcast.bot.settled import settled
from threadcast.bot.web.sessions import Visitor
from threadcast.bot.wording import SHELL, exactly, lasting, on_day, parts, posts, sentence, shortly, stands

# Where the token of whoever looks stands in a view that many are given.
_TOKEN: Final = token_hex(32)
SHARED: Final = 200  # views of one change that are kept

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader([Path(__file__).parent / "templates", Path(local.__file__).parent]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


_TEMPLATES.globals |= {
    **CALLS,
    "stands": stands,
    "many_parts": parts,
    "many_posts": posts,
    "why_not": partial(sentence, face=SHELL),
    "noticed": lambda notice: translated(noticed(notice)),
    "settled": settled,
    "lasting": lasting,
    "on_day": on_day,
    "exactly": exactly,
    "translated": translated,
}


def page(
    request: Request, template: str, *, block: str = "", status: int = HTTPStatus.OK, **about: Any
) -> Response:
    """Return a page; only its `block`, where there is one and the page asks for itself anew."""
    if block and "hx-request" in request.headers:
        return part(request, template, block, **about)
    return HTMLResponse(_TEMPLATES.get_template(template).render(**_known(request), **about), status)


def part(request: Request, template: str, block: str, **about: Any) -> Response:
    """Return a block of a page."""
    return HTMLResponse(render_block(_TEMPLATES, template, block, **_known(request), **about))


def back_to(thread: int) -> Response:
    """Lead to a thread's page, as it is after what was asked for."""
    return RedirectResponse(f"/threads/{thread}", HTTPStatus.SEE_OTHER)


def shared(view: Callable[..., Response]) -> Callable[..., Response]:
    """Return a view that is made once for all pages that ask for it because they were told of a change.

    Two who have the same role and language are given the same, the token of their forms aside. Who asks
    for any other reason is given what is there now.
    """

    @wraps(view)
    def give(*, request: Request, visitor: Visitor, **asked: Any) -> Response:
        live = request.app.state.site.live
        if not {"told", "hx-request"} <= set(request.headers):
            return view(request=request, visitor=visitor, **asked)
        address = request.url.path, request.url.query, request.cookies.get("zone")
        what = (visitor.role, language(), *address)
        with live.making:  # or all who were told make it at once
            made = live.made
            body = made.get(what)
            if body is None:
                anybody = replace(visitor, csrf=_TOKEN)
                body = bytes(view(request=request, visitor=anybody, **asked).body)
                if len(made) < SHARED:
                    made[what] = body
        return HTMLResponse(body.replace(_TOKEN.encode(), visitor.csrf.encode()))

    return give


def _known(request: Request) -> dict[str, Any]:
    """What every template is given."""
    site = request.app.state.site
    now: datetime = site.clock()
    return {
        "now": now,
        "path": request.url.path,
        "language": language(),
        "direction": direction(),
        "shortly": lambda moment: shortly(moment, now, site.zone),
    }


def spoken(request: Request) -> str:
    """Return the language of an answer: the one that is spoken to all, or the browser's."""
    site = request.app.state.site
    return site.language or preferred(request.headers.get("accept-language", ""))


def refused(request: Request, why: str | Exception, status: int) -> Response:
    """Return why something was not done, and the way back."""
    said = translated(why) if isinstance(why, str) else sentence(why, SHELL)
    return page(request, "refused.html", status=status, visitor=None, said=said)
