"""A status's text as a Mastodon server sees it: how long it is, and the HTML that it becomes.

Written apart from `threadcast.queue.compose.length`, and plainer: the two are to agree on what people write.
"""

from html import escape

import regex

# After app/lib/extractor.rb and MENTION_RE in app/models/account.rb, https://github.com/mastodon/mastodon.
URL = regex.compile(
    r"""
    (?<![\w@＠$\#＃])                    # not in the middle of a word, a mention or a hashtag
    https?://                           # only with a scheme: bare domains count as written
    (?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+\p{L}{2,}(?![\p{L}\p{N}@-])
    (?::\d+)?
    (?:/(?:[^\s()<>?]|\([^\s()<>]*\))*(?<=[\p{L}\p{N}/)\-+_\#…\p{So}]))?
    (?:\?[^\s"<>]*(?<=[\p{L}\p{N}_&=\#/-]))?
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
MENTION = regex.compile(
    r"(?<![=/\w])(@[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@\w+(?:[.-]+\w+)*(?![@＠]|://)", regex.IGNORECASE
)
PARAGRAPHS = regex.compile(r"\n{2,}")


def countable_length(text: str, *, spoiler: str, url_length: int) -> int:
    """Graphemes of the content warning and the text, URLs and mentions shortened in the text only."""
    short = URL.sub("x" * url_length, text)
    short = MENTION.sub(r"\1", short)
    return len(regex.findall(r"\X", spoiler + short))


def to_html(text: str) -> str:
    """The paragraphs and line breaks of a plain text as HTML, links and mentions as Mastodon shows them.

    After app/lib/text_formatter.rb: of a link the scheme and all beyond 30 characters are invisible, of
    a mention the host is left out.
    """
    if not text:
        return ""
    linked, done = [], 0
    for found in sorted([*URL.finditer(text), *MENTION.finditer(text)], key=lambda found: found.start()):
        if found.start() >= done:
            linked += [escape(text[done : found.start()], quote=False), _link(found)]
            done = found.end()
    paragraphs = PARAGRAPHS.split("".join([*linked, escape(text[done:], quote=False)]))
    return "".join("<p>" + paragraph.replace("\n", "<br />") + "</p>" for paragraph in paragraphs)


def _link(found: "regex.Match[str]") -> str:
    if found[0].startswith("@"):
        name, _, host = found[0][1:].partition("@")
        address = f"https://{host}/@{name}"
        return (
            f'<span class="h-card"><a href="{address}" class="u-url mention">@<span>{name}</span></a></span>'
        )
    scheme, _, rest = found[0].partition("://")
    parts = escape(f"{scheme}://"), escape(rest[:30]), escape(rest[30:])
    shown = f'<span class="{"ellipsis" if parts[2] else ""}">{parts[1]}</span>'
    hidden = '<span class="invisible">{}</span>'.format
    return f'<a href="{escape(found[0])}" rel="nofollow">{hidden(parts[0])}{shown}{hidden(parts[2])}</a>'
