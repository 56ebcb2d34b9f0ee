"""How an answer is made of a template: a whole page, or the block of it that a page asks for anew."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from threadcast.bot.languages.catalogues import translated
from threadcast.bot.noticed import noticed
from threadcast.bot.wording import SHELL, on_day, parts, posts, sentence, shortly, stands

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals |= {
    "stands": stands,
    "many_parts": parts,
    "many_posts": posts,
    "why_not": partial(sentence, face=SHELL),
    "noticed": noticed,
    "on_day": on_day,
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


def _known(request: Request) -> dict[str, Any]:
    """What every template is given."""
    site = request.app.state.site
    now: datetime = site.clock()
    return {
        "now": now,
        "path": request.url.path,
        "shortly": lambda moment: shortly(moment, now, site.zone),
    }


def refused(request: Request, why: str | Exception, status: int) -> Response:
    """Return why something was not done, and the way back."""
    said = why if isinstance(why, str) else sentence(why, SHELL)
    return page(request, "refused.html", status=status, visitor=None, said=said)
