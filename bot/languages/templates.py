"""What a template calls to say something: the sentences of the catalogues, as the code has them.

    {{ _("Write a thread") }}
    {{ _("from {source}", source=thread.source) }}
    {{ ngettext("{n} post", "{n} posts", posts | length) }}

All of it is text, whatever a translator wrote; what stands in a place may be a part of a page
(`{% set link %}…{% endset %}`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from threadcast.bot.languages.catalogues import _, ngettext
from threadcast.bot.languages.dates import weekday, written
from threadcast.bot.languages.numbers import number


def _said(message: str, **about: object) -> Markup:
    return escape(_(message)).format(**about)


def _counted(one: str, many: str, n: int, **about: object) -> Markup:
    return escape(ngettext(one, many, n)).format(n=n, **about)


CALLS: Final[Mapping[str, Callable[..., Any]]] = {
    "_": _said,
    "ngettext": _counted,
    "number": number,
    "weekday": weekday,
    "written": written,
}
