"""How an answer is made of a template: a whole page, or the block of it that a page asks for anew.

Its sentences are those of the catalogues, and stand in a template as in the code:

    {{ _("Write a thread") }}
    {{ _("from {source}", source=thread.source) }}
    {{ ngettext("{n} post", "{n} posts", posts | length) }}

All of it is text, whatever a translator wrote; what stands in a place may be a part of a page
(`{% set link %}…{% endset %}`).
"""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from markupsafe import Markup, escape

from threadcast.bot.channels import local
from threadcast.bot.languages import _, direction, language, ngettext, preferred, translated
from threadcast.bot.languages.dates import weekday, written
from threadcast.bot.languages.numbers import number
from threadcast.bot.noticed import noticed
from threadcast.bot.settled import settled
from threadcast.bot.wording import SHELL, exactly, lasting, on_day, parts, posts, sentence, shortly, stands

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader([Path(__file__).parent / "templates", Path(local.__file__).parent]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _said(message: str, **about: object) -> Markup:
    return escape(_(message)).format(**about)


def _counted(one: str, many: str, n: int, **about: object) -> Markup:
    return escape(ngettext(one, many, n)).format(n=n, **about)


_TEMPLATES.globals |= {
    "_": _said,
    "ngettext": _counted,
    "stands": stands,
    "many_parts": parts,
    "many_posts": posts,
    "why_not": partial(sentence, face=SHELL),
    "noticed": lambda notice: translated(noticed(notice)),
    "number": number,
    "settled": settled,
    "weekday": weekday,
    "written": written,
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
