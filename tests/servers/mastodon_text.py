"""A status's text as a Mastodon server sees it: how long it is, and the HTML that it becomes.

Written apart from `threadcast.queue.measure`, and plainer: the two are to agree on what people write.
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
    """The paragraphs and line breaks of a plain text as HTML, everything else escaped."""
    paragraphs = PARAGRAPHS.split(escape(text, quote=False)) if text else []
    return "".join("<p>" + paragraph.replace("\n", "<br />") + "</p>" for paragraph in paragraphs)
